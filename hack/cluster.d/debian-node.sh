# shellcheck shell=bash disable=SC2034,SC2154 # the parts share variables, see hack/cluster
# The one-node cluster made of Debian packages: all of it in one throw-away mount, network and process namespace, whose
# process 1 is `node` among the daemons. Ending that process ends everything.

# shellcheck source=hack/cluster.d/network.sh
. "$parts/network.sh"
# shellcheck source=hack/cluster.d/images.sh
. "$parts/images.sh"

in_node() { # COMMAND…
    local pid
    read -r pid _ <"$state/pid/node"
    nsenter --target "$pid" --mount --net --pid -- env -C / "$@" # our own folder may not exist in there
}

host_resolvers() { # never a loopback address: inside, that is another loopback
    local file=/etc/resolv.conf
    ! grep -q '^nameserver 127\.' $file || file=/run/systemd/resolve/resolv.conf
    awk '/^nameserver/ && $2 !~ /^127\./ && $2 !~ /:/ {print $2}' $file 2>/dev/null || true
}

write_record() {
    local resolvers
    mapfile -t resolvers < <(host_resolvers)
    {
        echo provider=debian
        echo "number=$number"
        declare -p images node_root builder_name | sed 's/^declare [^ ]* //'
        printf 'kubernetes_bin=%q\ncgroup=%q\n' "$kubernetes" "farebox-$name"
        printf 'upstream_dns=(%s)\n' "${resolvers[*]}"
    } >"$state/cluster.env"
}

make_cgroups() { # $cgroup in each hierarchy
    local hierarchy controller file
    if [ -f /sys/fs/cgroup/cgroup.controllers ]; then # version 2 alone, as on a Debian 12 with systemd
        mkdir -p "/sys/fs/cgroup/$cgroup"
        for controller in cpu cpuset memory pids io hugetlb; do
            for file in /sys/fs/cgroup "/sys/fs/cgroup/$cgroup"; do
                { echo "+$controller" >"$file/cgroup.subtree_control"; } 2>/dev/null || true
            done
        done
        return
    fi
    for hierarchy in /sys/fs/cgroup/*/; do
        [ "$hierarchy" = /sys/fs/cgroup/unified/ ] || mkdir -p "$hierarchy$cgroup"
    done
    for file in cpus mems; do
        cat "/sys/fs/cgroup/cpuset/cpuset.$file" >"/sys/fs/cgroup/cpuset/$cgroup/cpuset.$file"
    done
}

remove_cgroups() {
    local deadline=$((SECONDS + 10))
    until [ -z "$(find /sys/fs/cgroup -maxdepth 2 -name "$cgroup" -type d 2>/dev/null)" ]; do
        find /sys/fs/cgroup -depth -type d \( -path "*/$cgroup" -o -path "*/$cgroup/*" \) -exec rmdir {} + 2>/dev/null || true
        [ $SECONDS -lt $deadline ] || fail "a cgroup of the cluster is not empty" "end its processes: cat /sys/fs/cgroup/*/$cgroup/cgroup.procs"
        sleep 0.1
    done
}

seed_registry() { # a copy that shares the blobs, which are never written twice, with the cache
    [ ! -d "$state/registry" ] || return 0
    rm -rf "$state/registry.new"
    mkdir -p "$state/registry.new/docker/registry/v2"
    local from=$images/registry/docker/registry/v2 to=$state/registry.new/docker/registry/v2
    cp -al "$from/blobs" "$to/" 2>/dev/null || cp -a "$from/blobs" "$to/"
    cp -a "$from/repositories" "$to/"
    mv "$state/registry.new" "$state/registry"
}

open_namespace() {
    make_cgroups
    rm -f "$state"/pid/*
    setsid nohup unshare --mount --net --pid --fork --kill-child=KILL --propagation private \
        bash "$parts/enter-node.sh" "$state" "$node_root" "$cache" "$kubernetes_bin/pause" >"$state/log/node.log" 2>&1 </dev/null &
    local outside=$! child='' deadline=$((SECONDS + 20))
    remember outside "$outside"
    until child=$(children "$outside") && child=${child%% *} && [ -n "$child" ] && [ -e "/proc/$child/root/run/entered" ]; do
        if ! alive outside || [ $SECONDS -ge $deadline ]; then
            fail "the node's namespace could not be made" "is this root in a container without privileges? see the log" "$state/log/node.log"
        fi
        sleep 0.02
    done
    remember node "$child"
    connect_network "$child"
}

debian_is_prepared() { [ -d "$node_root" ] && [ -d "$kubernetes" ] && [ -d "$images" ]; }

debian_prepare() {
    need_root "a cluster of Debian packages"
    provide_node_root
    provide_kubernetes
    provide_images
}

debian_up() {
    need_root "a cluster of Debian packages"
    if command -v modprobe >/dev/null; then modprobe -a overlay br_netfilter 2>/dev/null || true; fi # or they are built in
    if [ -s "$state/cluster.env" ]; then
        # shellcheck source=/dev/null
        . "$state/cluster.env"
        set_addresses
    else
        choose_number
        cgroup=farebox-$name
        write_record
        kubernetes_bin=$kubernetes
    fi
    [ -s "$state/registry-password" ] || (umask 077 && od -An -N 12 -tx1 /dev/urandom | tr -d ' \n' >"$state/registry-password")
    seed_registry
    # The node runs its scripts from a copy: the checkout may change or go while the cluster is up.
    mkdir -p "$state/parts"
    cp --remove-destination -a "$parts/." "$state/parts/"
    if ! alive node; then
        close_namespace
        open_namespace
        step "the namespace stands, node $node_address"
    fi
    in_node bash "$state/parts/node.sh" "$state"
}

close_namespace() {
    local deadline=$((SECONDS + 10))
    if alive node; then signal KILL node; fi
    if alive outside; then signal KILL outside; fi
    while alive node || alive outside; do
        [ $SECONDS -lt $deadline ] || fail "the node's process 1 does not end" "look at it: cat $state/pid/node"
        sleep 0.05
    done
    disconnect_network
    remove_cgroups
}

debian_down() {
    need_root "taking the cluster down"
    # shellcheck source=/dev/null
    . "$state/cluster.env"
    set_addresses
    close_namespace
    rm -rf "$state"
    step "nothing of the cluster $name is left; the cache stays in $cache"
}

# Unpacking a base image takes a third of the time in memory. It needs room for some builds, and a kernel whose tmpfs keeps the
# extended attributes by which a rootless overlay marks what it hides (6.6 or newer).
builds_in_memory() {
    local probe result=false
    # Without /dev/shm there is no tmpfs to ask: builds keep their state on the disk then, which always works.
    probe=$(mktemp -p /dev/shm farebox.XXXXXX 2>/dev/null) || { echo false && return; }
    if [ "$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)" -ge $((8 << 20)) ] &&
        python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.farebox", b"1")' "$probe" 2>/dev/null; then
        result=true
    fi
    rm -f "$probe"
    echo "$result"
}

debian_env() {
    # shellcheck source=/dev/null
    . "$state/cluster.env"
    set_addresses
    export_line KUBECONFIG "$state/kubeconfig/admin"
    echo "export PATH=$(printf %q "$kubernetes_bin"):\$PATH"
    export_line FAREBOX_REGISTRY "$registry"
    export_line FAREBOX_REGISTRY_USER farebox
    export_line FAREBOX_REGISTRY_PASSWORD "$(<"$state/registry-password")"
    export_line FAREBOX_MIRROR "$mirror_registry"
    export_line FAREBOX_BUILDER_IMAGE "$mirror_registry/$builder_name"
    export_line FAREBOX_BUILDS_IN_MEMORY "$(builds_in_memory)"
    export_line FAREBOX_RUNTIME_CLASS gvisor
    export_line FAREBOX_CLUSTER_HOST_ADDRESS "$host_address"
    export_line FAREBOX_NODE_ADDRESS "$node_address"
    export_line FAREBOX_DNS_ADDRESS "$dns_address"
    export_line FAREBOX_DNS_ENDPOINT "$node_address"
    export_line FAREBOX_CLUSTER_CIDRS "$pods,$services,$nodes"
    export_line FAREBOX_API_AUDIT_LOG "$state/audit.log"
}

debian_status() {
    # shellcheck source=/dev/null
    . "$state/cluster.env"
    set_addresses
    alive node || fail "the cluster $name is recorded, but does not run" "hack/cluster up --name $name"
    step "cluster $name: API https://$node_address:$api_port, registry $registry, mirror of docker.io $mirror_registry"
    step "pods $node_pods, services $services, DNS $dns_address, this machine is $host_address, logs in $state/log"
    # shellcheck disable=SC2016 # for the inner shell
    in_node bash -c '. "$1/common.sh"; state=$2
        for file in "$state"/pid/*; do
            daemon=${file##*/}
            case $daemon in node | outside) continue ;; esac
            read -r pid _ <"$file"
            if alive "$daemon"; then
                printf "%-19s pid %-6s %5d MiB\n" "$daemon" "$pid" $(($(awk "/VmRSS/ {print \$2}" "/proc/$pid/status") / 1024))
            else
                printf "%-19s does not run: %s\n" "$daemon" "$state/log/$daemon.log"
            fi
        done
        containerd --version; runsc --version | head -n 1' - "$state/parts" "$state"
    kubectl_bin=$kubernetes_bin/kubectl
    kube version --short
    kube get nodes,runtimeclasses
    kube get pods --all-namespaces -o wide
}
