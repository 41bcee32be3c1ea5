#!/bin/bash
# Compiles Kubernetes from Debian's source package; runs inside the throw-away root file system that kubernetes.sh makes.
#
#   compile-kubernetes.sh VERSION OUTPUT_FOLDER        (lines that begin with ">> " tell the progress)
#
# Debian 12 packages only the client, but its source package is the whole tree with its vendor directory. It compiles with
# Debian's Go in GOPATH mode; module mode does not work with this pair. CGO_ENABLED=0: the binaries run on any distribution.
set -euo pipefail

version=$1 output=$2
components=(kube-apiserver kube-controller-manager kubectl kube-scheduler kubelet kube-proxy)

export GOPATH=/build/go GOCACHE=/build/cache GO111MODULE=off CGO_ENABLED=0
export GOFLAGS=-tags=providerless # without the cloud providers, which no test needs: a third less to compile
mkdir -p "$GOPATH/src/k8s.io" "$output"

echo ">> fetch the source package"
sed -n 's/^deb /deb-src /p' /etc/apt/sources.list >>/etc/apt/sources.list.d/source.list
apt-get -q -o APT::Sandbox::User=root update
cd /build
apt-get -q -o APT::Sandbox::User=root source kubernetes # with Debian's security patches
[ -e "$(echo kubernetes_*"$version"*.dsc)" ] || { echo "the archive's version is not $version: $(echo ./*.dsc)" && exit 1; }
mv kubernetes-*/ "$GOPATH/src/k8s.io/kubernetes"
cd "$GOPATH/src/k8s.io/kubernetes"

# The vendored reflect2 1.0.1 calls into Go's map iterator as it was before Go 1.18: with bookworm's Go 1.19 the API server
# dies of a segmentation fault on the first custom resource. 1.0.2, a package of its own, knows both.
echo ">> take reflect2 from its own package"
(
    cd /build
    apt-get -q -o APT::Sandbox::User=root download golang-github-modern-go-reflect2-dev
    dpkg -x golang-github-modern-go-reflect2-dev_*.deb reflect2
)
rm -r vendor/github.com/modern-go/reflect2
cp -r /build/reflect2/usr/share/gocode/src/github.com/modern-go/reflect2 vendor/github.com/modern-go/

# The kubelet's cAdvisor asks five times, a second apart, for a Docker that is not there, and no flag keeps it from it.
sed -i 's/^const rootDirRetries = 5$/const rootDirRetries = 1/; s/1000 \* time.Millisecond/time.Millisecond/' \
    vendor/github.com/google/cadvisor/container/docker/factory.go

echo ">> generate the conversion, default and deep-copy functions"
make generated_files </dev/null

# Without these the server calls itself v0.0.0-master, which clients take for a very old one.
IFS=. read -r major minor _ <<<"$version"
flags=(-s -w)
for package in client-go/pkg/version component-base/version; do
    for pair in "gitVersion=v$version" "gitMajor=$major" "gitMinor=$minor" gitTreeState=clean; do
        flags+=(-X "k8s.io/kubernetes/vendor/k8s.io/$package.$pair")
    done
done
for component in "${components[@]}"; do
    echo ">> compile $component"
    go build -ldflags "${flags[*]}" -o "$output/$component" "./cmd/$component"
done
gcc -Os -Wall -static -s -DVERSION="$version" -o "$output/pause" build/pause/linux/pause.c
