# shellcheck shell=bash disable=SC2034,SC2154 # the parts share variables, see hack/cluster
# Clusters that somebody else made: one given by its kubeconfig, or a kind cluster. They have no registry, sandbox or builder
# of ours: say what they have by the same FAREBOX_… variables that `env` exports, before `up`; they are kept and passed on.

given_variables=(FAREBOX_REGISTRY FAREBOX_REGISTRY_USER FAREBOX_REGISTRY_PASSWORD FAREBOX_MIRROR FAREBOX_BUILDER_IMAGE
    FAREBOX_BUILDS_IN_MEMORY FAREBOX_RUNTIME_CLASS FAREBOX_CLUSTER_HOST_ADDRESS FAREBOX_NODE_ADDRESS FAREBOX_DNS_ADDRESS FAREBOX_DNS_ENDPOINT
    FAREBOX_CLUSTER_CIDRS)

given_kubectl() {
    command -v kubectl >/dev/null || fail "kubectl is missing" "install one that fits the cluster"
    kubectl --kubeconfig "$state/kubeconfig/admin" "$@"
}

write_given_record() { # PROVIDER; the registry's password is in it, so only its owner reads it
    local variable
    (
        umask 077
        {
            echo "provider=$1"
            for variable in "${given_variables[@]}"; do
                [ -z "${!variable:-}" ] || printf '%s=%q\n' "$variable" "${!variable}"
            done
        } >"$state/cluster.env"
    )
    [ -n "${FAREBOX_REGISTRY:-}" ] ||
        step "note: builds need a registry that this cluster reaches: FAREBOX_REGISTRY=host:port hack/cluster up …"
}

given_env() {
    export_line KUBECONFIG "$state/kubeconfig/admin"
    sed -n 's/^FAREBOX_/export &/p' "$state/cluster.env"
}

given_version() { given_kubectl get --raw /version | sed -n 's/.*"gitVersion": *"\([^"]*\)".*/\1/p'; }

given_status() {
    echo "Kubernetes $(given_version), registry $(sed -n 's/^FAREBOX_REGISTRY=//p' "$state/cluster.env")"
    given_kubectl get nodes -o wide
}

check_given() { # REMEDY
    given_kubectl get --raw /readyz >"$state/log/given.log" 2>&1 ||
        fail "the cluster of $state/kubeconfig/admin does not answer" "$1" "$state/log/given.log"
    step "Kubernetes $(given_version) answers"
}

existing_is_prepared() { true; }
existing_prepare() { true; }
existing_env() { given_env; }
existing_status() { given_status; }
existing_down() { rm -rf "$state"; } # the cluster itself is not ours

existing_up() {
    if [ -n "$given_kubeconfig" ]; then
        (umask 077 && mkdir -p "$state/kubeconfig")
        # Flattened, so that files it names by relative paths are found from anywhere.
        (umask 077 && kubectl --kubeconfig "$given_kubeconfig" config view --raw --flatten --minify >"$state/kubeconfig/admin")
    fi
    write_given_record existing
    check_given "look at its server's address and at your network; nothing was changed"
}

kind_is_prepared() { true; }
kind_prepare() { true; }
kind_env() { given_env; }
kind_status() { given_status; }

kind_up() {
    command -v kind >/dev/null || fail "kind is missing" "install it, or: hack/cluster up --provider debian"
    docker info >"$state/log/docker.log" 2>&1 || fail "no Docker engine answers" "start it, or: hack/cluster up --provider debian" "$state/log/docker.log"
    write_given_record kind
    (umask 077 && mkdir -p "$state/kubeconfig")
    if ! kind get clusters 2>/dev/null | grep -qx "$name"; then
        step "make the kind cluster $name"
        kind create cluster --name "$name" --kubeconfig "$state/kubeconfig/admin" --wait 120s >"$state/log/kind.log" 2>&1 ||
            fail "kind could not make the cluster" "read the log, then hack/cluster down --name $name" "$state/log/kind.log"
    fi
    check_given "hack/cluster down --name $name, then up again"
}

kind_down() {
    kind delete cluster --name "$name" --kubeconfig "$state/kubeconfig/admin"
    rm -rf "$state"
}
