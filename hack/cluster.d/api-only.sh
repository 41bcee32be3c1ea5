# shellcheck shell=bash disable=SC2034,SC2154 # the parts share variables, see hack/cluster
# `up --api-only`: etcd, kube-apiserver and the part of kube-controller-manager that API tests need, on loopback ports of
# their own. No namespace, no root: only the binaries, from KUBEBUILDER_ASSETS or the cache.
#
# Of the controllers only garbage collection, namespaces and service accounts run: a test plays the others (a Deployment's
# status, say), and nothing fights it. KUBEBUILDER_ASSETS has no controller manager: then owned objects stay.

api_only_is_prepared() {
    command -v openssl >/dev/null && { [ -n "${KUBEBUILDER_ASSETS:-}" ] || { [ -d "$node_root" ] && [ -d "$kubernetes" ]; }; }
}

api_only_prepare() {
    provide_command openssl openssl
    [ -z "${KUBEBUILDER_ASSETS:-}" ] || return 0
    provide_node_root
    provide_kubernetes
}

api_only_binaries() {
    local binary
    if [ -z "${KUBEBUILDER_ASSETS:-}" ]; then
        kubernetes_bin=$kubernetes etcd_bin=$node_root/usr/bin/etcd kubectl_bin=$kubernetes/kubectl
        return
    fi
    for binary in etcd kube-apiserver kubectl; do
        [ -x "$KUBEBUILDER_ASSETS/$binary" ] ||
            fail "KUBEBUILDER_ASSETS=$KUBEBUILDER_ASSETS has no $binary" "correct or unset KUBEBUILDER_ASSETS"
    done
    kubernetes_bin=$KUBEBUILDER_ASSETS etcd_bin=$KUBEBUILDER_ASSETS/etcd kubectl_bin=$KUBEBUILDER_ASSETS/kubectl
}

free_port() { # the first port from $1 on that nothing listens on
    local port=$1
    while (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
    echo "$port"
}

api_only_up() {
    api_only_binaries
    mkdir -p "$state"/{log,pid}
    if ! alive apiserver; then
        stop apiserver controller-manager etcd
        # Another cluster's ports are found taken, because up and down hold one lock.
        etcd_port=$(free_port 23790)
        peer_port=$(free_port $((etcd_port + 1)))
        api_port=$(free_port 26443)
        printf 'provider=api-only\netcd_port=%s peer_port=%s api_port=%s\nkubernetes_bin=%q\netcd_bin=%q\nkubectl_bin=%q\n' \
            "$etcd_port" "$peer_port" "$api_port" "$kubernetes_bin" "$etcd_bin" "$kubectl_bin" >"$state/cluster.env"
        rm -rf "$state/pki" # its certificate names no port, but a half-made one may be there
    fi
    # shellcheck source=/dev/null
    . "$state/cluster.env"
    api_address=127.0.0.1 services=10.96.0.0/16
    make_pki "https://127.0.0.1:$api_port" 127.0.0.1 10.96.0.1
    local minor
    minor=$(server_minor)
    start_etcd
    start_apiserver "$minor"
    step "kube-apiserver 1.$minor answers on https://127.0.0.1:$api_port"
    if [ -x "$kubernetes_bin/kube-controller-manager" ]; then
        start_controller_manager "$minor" --secure-port=0 --controllers=garbagecollector,namespace,serviceaccount
        step "garbage collection, namespaces and service accounts work"
    else
        step "no kube-controller-manager beside kube-apiserver: owned objects are not collected"
    fi
}

api_only_down() {
    stop controller-manager apiserver etcd
    rm -rf "$state"
}

api_only_env() {
    # shellcheck source=/dev/null
    . "$state/cluster.env"
    export_line KUBECONFIG "$state/kubeconfig/admin"
    echo "export PATH=$(printf %q "$(dirname "$kubectl_bin")"):\$PATH"
    export_line FAREBOX_API_AUDIT_LOG "$state/audit.log"
}

api_only_status() {
    # shellcheck source=/dev/null
    . "$state/cluster.env"
    local daemon
    for daemon in etcd apiserver controller-manager; do
        alive "$daemon" && echo "$daemon runs" || echo "$daemon does not run"
    done
    kube version --short 2>/dev/null || kube version || true
    kube cluster-info | sed -n 1p || true
}
