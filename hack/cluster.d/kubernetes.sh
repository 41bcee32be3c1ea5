# shellcheck shell=bash disable=SC2034,SC2154 # the parts share variables, see hack/cluster
# Kubernetes itself: compiled once from Debian's source package and kept in the cache by version.

kubernetes_version=1.20.2
compiler_packages=(dpkg-dev gcc golang-go jq libc6-dev make patch rsync)

kubernetes=$cache/kubernetes/$kubernetes_version-$(key "$parts/compile-kubernetes.sh")

provide_kubernetes() {
    [ ! -d "$kubernetes" ] || return 0
    need_root "compiling Kubernetes in a root file system of its own"
    provide_minbase
    step "install Debian's Go into a throw-away root file system"
    make_root compiler "$minbase" "${compiler_packages[@]}"
    local log=$cache/log/kubernetes.log line
    step "compile Kubernetes $kubernetes_version from Debian's source package (once, 4 to 8 minutes on 2 cores)"
    : >"$log"
    isolated bash "$parts/in-root.sh" "$making/root" "$parts/compile-kubernetes.sh" "$kubernetes_version" /output >"$log" 2>&1 &
    tail -n +1 -f --pid=$! "$log" | while read -r line; do
        case $line in ">> "*) step "   ${line#>> }" ;; esac
    done
    wait $! || fail "Kubernetes $kubernetes_version did not compile" "see the log; it needs 4 GB of disk and 3 GB of memory" "$log"
    mkdir -p "$cache/kubernetes"
    mv "$making/root/output" "$kubernetes"
    rm -rf "$making"
}
