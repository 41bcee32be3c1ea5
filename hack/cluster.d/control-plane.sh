# shellcheck shell=bash disable=SC2034,SC2154 # the parts share variables, see hack/cluster
# etcd, kube-apiserver and kube-controller-manager, with the flags that the one-node cluster and the API-only one share.
# The caller sets: state, kubernetes_bin, etcd_bin, kubectl_bin, etcd_port, peer_port, api_address, api_port, services.

# shellcheck source=hack/cluster.d/pki.sh
server_minor() { # 20 for Kubernetes v1.20.2
    local version
    version=$("$kubernetes_bin/kube-apiserver" --version)
    version=${version#*v1.}
    echo "${version%%.*}"
}

kube() { "$kubectl_bin" --kubeconfig "$state/kubeconfig/admin" "$@"; }

start_etcd() {
    local clients=http://127.0.0.1:$etcd_port peers=http://127.0.0.1:$peer_port
    # Nothing here outlives the machine, so etcd need not wait for the disk.
    start etcd "$etcd_bin" --name farebox --data-dir "$state/etcd" --unsafe-no-fsync --log-level warn \
        --listen-client-urls "$clients" --advertise-client-urls "$clients" \
        --listen-peer-urls "$peers" --initial-advertise-peer-urls "$peers" --initial-cluster "farebox=$peers"
}

start_apiserver() { # MINOR [FLAG…]
    local minor=$1
    shift
    # The Job TTL is a gate up to 1.20, on by default from 1.21, and its gate is gone in newer releases.
    [ "$minor" -gt 20 ] || set -- --feature-gates=TTLAfterFinished=true "$@"
    cat >"$state/audit-policy.yaml" <<'YAML'
# Who asked for what, once it was answered; no bodies. Tests prove from this log that a settled operator is silent.
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- level: Metadata
YAML
    start apiserver "$kubernetes_bin/kube-apiserver" --etcd-servers="http://127.0.0.1:$etcd_port" \
        --bind-address="$api_address" --advertise-address="$api_address" --secure-port="$api_port" \
        --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" --client-ca-file="$pki/ca.crt" \
        --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --allow-privileged=true \
        --service-cluster-ip-range="$services" --service-account-issuer=https://kubernetes.default.svc \
        --service-account-key-file="$pki/sa.pub" --service-account-signing-key-file="$pki/sa.key" \
        --audit-policy-file="$state/audit-policy.yaml" --audit-log-path="$state/audit.log" --audit-log-maxsize=200 --audit-log-maxbackup=1 "$@"
    wait_for apiserver kube get --raw /readyz
}

start_controller_manager() { # MINOR [FLAG…]
    local minor=$1
    shift
    [ "$minor" -gt 20 ] || set -- --feature-gates=TTLAfterFinished=true "$@"
    [ "$minor" -gt 23 ] || set -- --port=0 "$@" # no port without TLS; the flag is gone in 1.24
    start controller-manager "$kubernetes_bin/kube-controller-manager" --kubeconfig="$state/kubeconfig/controller-manager" \
        --kube-api-qps=100 --kube-api-burst=200 --bind-address=127.0.0.1 --leader-elect=false --use-service-account-credentials \
        --root-ca-file="$pki/ca.crt" --service-account-private-key-file="$pki/sa.key" \
        --cluster-signing-cert-file="$pki/ca.crt" --cluster-signing-key-file="$pki/ca.key" "$@"
    # A pod made before its namespace's service account exists is refused.
    wait_for controller-manager kube get serviceaccount default
}
