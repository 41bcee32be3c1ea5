#!/bin/bash
# Starts what does not run yet on the cluster's node; runs inside the namespace that enter-node.sh made.
#
#   node.sh STATE      STATE/cluster.env says the rest
set -euo pipefail

parts=$(dirname "$(readlink -f "$0")")
state=$1
name=$(basename "$state")
images='' cgroup='' upstream_dns=()
# shellcheck source=/dev/null
. "$state/cluster.env"
# shellcheck source=hack/cluster.d/common.sh
. "$parts/common.sh"
# shellcheck source=hack/cluster.d/network.sh
. "$parts/network.sh"
# shellcheck source=hack/cluster.d/pki.sh
. "$parts/pki.sh"
# shellcheck source=hack/cluster.d/control-plane.sh
. "$parts/control-plane.sh"
set_addresses
node_name=node1 metadata_address=169.254.169.254 socket=/run/containerd/containerd.sock
kubectl_bin=$kubernetes_bin/kubectl etcd_bin=/usr/bin/etcd

prepare_network() {
    [ ! -e /sys/class/net/node ] || return 0
    ip link set lo up
    # The node's address lies on a bridge without ports: not each kernel has a dummy device.
    ip link add node type bridge
    ip addr add "$node_address/24" dev node
    ip link set node up
    # A cloud's metadata address, so that tests show whether a pod is kept from it. Here nothing but "404" is to be had there;
    # kubelet 1.20 asks it too at its start, and would wait 6 s for nothing.
    ip addr add "$metadata_address/32" dev node
    ip route add unreachable 169.254.0.0/16
    echo 1 >/proc/sys/net/ipv4/ip_forward
    echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables # else packets between pods pass no policy
    echo 1 >/proc/sys/net/bridge/bridge-nf-call-ip6tables
    echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
    echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
    # What CNI's bridge would do for each pod anew, with nine calls of iptables.
    iptables -w -t nat -A POSTROUTING -s "$node_pods" ! -d "$node_pods" -j MASQUERADE
}

open_port() { (: <"/dev/tcp/$1/$2") 2>/dev/null; }

start_registries() {
    cat >"$state/registry.yml" <<YAML
version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $state/registry}, delete: {enabled: true}}
http: {addr: "$registry", secret: "$(<"$state/registry-password")"}
auth: {htpasswd: {realm: farebox, path: $state/htpasswd}}
YAML
    # docker.io as this cluster sees it: public, read-only, the base images and the builder only.
    cat >"$state/mirror.yml" <<YAML
version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $images/registry}, maintenance: {readonly: {enabled: true}}}
http: {addr: "$mirror_registry"}
YAML
    [ -s "$state/htpasswd" ] || python3 -W ignore -c 'import crypt, sys
print("farebox:" + crypt.crypt(open(sys.argv[1]).read(), crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=1 << 5)))' \
        "$state/registry-password" >"$state/htpasswd"
    start registry docker-registry serve "$state/registry.yml"
    start mirror docker-registry serve "$state/mirror.yml"
}

write_containerd_configuration() {
    local host
    for host in "$registry" "$mirror_registry"; do
        mkdir -p "$state/certs.d/$host"
        printf 'server = "http://%s"\n[host."http://%s"]\n  capabilities = ["pull", "resolve"]\n' "$host" "$host" >"$state/certs.d/$host/hosts.toml"
    done
    mkdir -p "$state/certs.d/docker.io"
    printf 'server = "https://registry-1.docker.io"\n[host."http://%s"]\n  capabilities = ["pull", "resolve"]\n' \
        "$mirror_registry" >"$state/certs.d/docker.io/hosts.toml"
    cat >"$state/containerd.toml" <<TOML
version = 2
root = "$state/containerd"
state = "/run/containerd"
[grpc]
  address = "$socket"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "farebox.local/pause:1"
  restrict_oom_score_adj = true # root without CAP_SYS_RESOURCE cannot lower it, and every sandbox would fail
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "$state/cni/bin"
  conf_dir = "$state/cni/net.d"
[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "$state/certs.d"
[plugins."io.containerd.grpc.v1.cri".containerd]
  default_runtime_name = "runc"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  BinaryName = "/usr/sbin/runc"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.gvisor]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.gvisor.options]
  BinaryName = "$parts/runsc-cri"
TOML
    mkdir -p "$state"/cni/{bin,net.d}
    ln -sf /usr/lib/cni/* "$parts/farebox-policy" "$state/cni/bin/"
    cat >"$state/cni/net.d/10-farebox.conflist" <<JSON
{"cniVersion": "0.4.0", "name": "farebox", "plugins": [
  {"type": "bridge", "bridge": "cni0", "mtu": $(</sys/class/net/uplink/mtu), "isDefaultGateway": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "/run/ipam", "ranges": [[{"subnet": "$node_pods"}]]}},
  {"type": "portmap", "capabilities": {"portMappings": true}},
  {"type": "farebox-policy", "socket": "/run/policy.sock"}]}
JSON
}

start_metadata() {
    start metadata socat "TCP-LISTEN:80,bind=$metadata_address,reuseaddr,fork" \
        'SYSTEM:printf "HTTP/1.0 404 Not Found\\r\\nContent-Length: 0\\r\\n\\r\\n"'
}

start_containerd() {
    write_containerd_configuration
    mkdir -p /run/containerd
    start containerd containerd -c "$state/containerd.toml"
    wait_for containerd ctr -a $socket version
    local ctr=(ctr -a "$socket" -n k8s.io)
    "${ctr[@]}" images ls -q | grep -qx farebox.local/pause:1 || "${ctr[@]}" images import "$images/pause.tar" >/dev/null
}

start_kubelet() {
    echo "nameserver $node_address" >"$state/resolv.conf"
    cat >"$state/kubelet.yml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $node_address
healthzBindAddress: 127.0.0.1
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $pki/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $pki/kubelet.crt
tlsPrivateKeyFile: $pki/kubelet.key
cgroupDriver: cgroupfs
cgroupRoot: /$cgroup
failSwapOn: false
maxPods: 250
# A fresh node is Ready after one period; reports of an unchanged node stay rare.
nodeStatusUpdateFrequency: 1s
nodeStatusReportFrequency: 5m
# A pod whose end the kubelet misread is looked at again after this; the default is a minute.
syncFrequency: 10s
serializeImagePulls: false
registryPullQPS: 50
registryBurst: 100
kubeAPIQPS: 50
kubeAPIBurst: 100
clusterDNS: [$dns_address]
clusterDomain: cluster.local
resolvConf: $state/resolv.conf
volumePluginDir: $state/volume-plugins
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
imageGCHighThresholdPercent: 100
YAML
    start kubelet "$kubernetes_bin/kubelet" --config="$state/kubelet.yml" --kubeconfig="$state/kubeconfig/kubelet" \
        --root-dir="$state/kubelet" --cert-dir="$pki" --hostname-override="$node_name" --node-ip="$node_address" \
        --container-runtime=remote --container-runtime-endpoint="unix://$socket"
    start proxy "$kubernetes_bin/kube-proxy" --kubeconfig="$state/kubeconfig/proxy" --hostname-override="$node_name" --proxy-mode=iptables \
        --cluster-cidr="$pods" --bind-address="$node_address" --healthz-bind-address=127.0.0.1:10256 \
        --metrics-bind-address=127.0.0.1:10249 --conntrack-max-per-core=0
}

start_scheduler() {
    start scheduler "$kubernetes_bin/kube-scheduler" --kubeconfig="$state/kubeconfig/scheduler" --bind-address=127.0.0.1 --port=0 --leader-elect=false
}

start_policy_and_names() {
    start netpol python3 "$parts/netpol.py" "https://$node_address:$api_port" "$pki" /run/policy.sock "$node_address"
    touch "$state/hosts"
    start dnsmasq dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --bind-interfaces --listen-address="$node_address" \
        --interface=node --except-interface=lo --addn-hosts="$state/hosts" --local=/cluster.local/ --user=root --pid-file= \
        "${upstream_dns[@]/#/--server=}"
    start dns python3 "$parts/dns.py" "https://$node_address:$api_port" "$pki" "$state/hosts" "$state/pid/dnsmasq"
}

apply_objects() {
    kube apply -f - >"$state/log/objects.log" 2>&1 <<YAML || fail "the cluster's own objects were refused" "see the log" "$state/log/objects.log"
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system, labels: {k8s-app: kube-dns}}
spec:
  clusterIP: $dns_address
  ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53, protocol: TCP}]
---
apiVersion: v1
kind: Endpoints
metadata: {name: kube-dns, namespace: kube-system, labels: {k8s-app: kube-dns}}
subsets:
- addresses: [{ip: $node_address}]
  ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53, protocol: TCP}]
---
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {name: gvisor}
handler: gvisor
YAML
}

node_is_ready() {
    [ "$(kube get node "$node_name" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')" = True ]
}

prepare_network
make_pki "https://$node_address:$api_port" "$node_address" "$first_service" "$node_name"
certificate network /O=system:masters/CN=cluster-network 2>/dev/null
start_metadata
start_registries
start_etcd
start_containerd
step "containerd, the registry and the mirror run"
start_apiserver 20 --kubelet-client-certificate="$pki/kubelet-client.crt" --kubelet-client-key="$pki/kubelet-client.key" \
    --kubelet-certificate-authority="$pki/ca.crt" --kubelet-preferred-address-types=InternalIP
step "kube-apiserver answers on https://$node_address:$api_port"
start_policy_and_names
start_kubelet
start_scheduler
start_controller_manager 20 # without --allocate-node-cidrs, whose first look at the nodes comes after 10 s
apply_objects
wait_for kubelet node_is_ready
kube patch node "$node_name" -p "{\"spec\":{\"podCIDR\":\"$node_pods\",\"podCIDRs\":[\"$node_pods\"]}}" >/dev/null # as a node allocator would
wait_for registry open_port "$node_address" "${registry#*:}"
wait_for mirror open_port "$node_address" "${mirror_registry#*:}"
wait_for netpol test -S /run/policy.sock
step "the node is ready"
