# shellcheck shell=bash disable=SC2034,SC2154 # the parts share variables, see hack/cluster
# Debian root file systems in the cache. Nothing is installed on the machine but debootstrap (and openssl for an API-only
# cluster): the node's daemons, the Go that compiles Kubernetes and the images all live in root file systems of their own. So
# no package of ours can conflict with one of yours (Debian's containerd would remove Docker's), and no service starts at
# your next boot.

debian_suite=bookworm
# What the node runs besides Kubernetes.
node_packages=(ca-certificates conntrack containerd containernetworking-plugins dnsmasq-base docker-registry etcd-server
    ethtool iproute2 iptables nftables openssl procps python3 runc runsc socat)

# The key of what is made from these words and files: key WORD_OR_FILE…
key() {
    local part
    for part; do
        if [ -f "$part" ]; then cat "$part"; else echo "$part"; fi
    done | sha256sum | cut -c 1-12
}

# Runs a command in mount and pid namespaces of its own: whatever it mounts or starts is gone when it ends. Its process
# is noted, so that the next run ends it if this one was killed.
isolated() {
    local status=0
    unshare --mount --pid --fork --kill-child=KILL --propagation private "$@" &
    echo "$! $(start_time $!)" >"$cache/worker"
    wait $! || status=$?
    rm -f "$cache/worker"
    return $status
}

end_left_over_worker() {
    local pid ticks
    if { read -r pid ticks <"$cache/worker"; } 2>/dev/null && [ "$(start_time "$pid")" = "$ticks" ]; then
        # shellcheck disable=SC2046 # one word each
        kill -KILL $(children "$pid") "$pid" || true
    fi
    rm -rf "${cache:?}/worker" "${cache:?}"/making.*
}

# Removes from the cache what no run used for two weeks and no cluster names: other versions of these scripts made it.
forget_what_is_unused() {
    local entry
    # Not all of them are there: an API-only cluster needs no images.
    { find "$cache"/{debian,kubernetes,images} -mindepth 1 -maxdepth 1 -mtime +14 2>/dev/null || true; } | while read -r entry; do
        grep -qsF "$entry" "$state_root"/*/cluster.env || rm -rf "$entry"
    done
}

# The archive that apt is configured with; no mirror is named here. REPO_URI is unknown before the first update.
debian_archive() { # LABEL
    # shellcheck disable=SC2016 # apt fills it in
    apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' "Label: $1" 2>/dev/null | sed -n 1p
}

debian_mirror() {
    [ -z "${FAREBOX_BASE_MIRROR:-}" ] || { echo "$FAREBOX_BASE_MIRROR" && return; }
    [ -n "$(debian_archive Debian)" ] || apt-get update -qq >&2 || true
    local mirror
    mirror=$(debian_archive Debian)
    [ -n "$mirror" ] || fail "apt knows no Debian archive on this machine" "name one: FAREBOX_BASE_MIRROR=URL hack/cluster up"
    echo "${mirror%/}"
}

# sources.list of the root file systems: the same archive, and its security updates where apt knows them.
debian_sources() {
    local security
    echo "deb $mirror $debian_suite main"
    security=$(debian_archive Debian-Security)
    [ -z "$security" ] || echo "deb ${security%/} $debian_suite-security main"
}

# Installs a package that gives the machine a command it lacks: provide_command COMMAND PACKAGE
provide_command() {
    ! command -v "$1" >/dev/null || return 0
    need_root "installing $2"
    step "install $2"
    mkdir -p "$cache/log"
    {
        apt-get install -y --no-install-recommends "$2" </dev/null ||
            { apt-get update && apt-get install -y --no-install-recommends "$2" </dev/null; }
    } >"$cache/log/apt.log" 2>&1 || fail "apt-get could not install $2" "apt-get update && apt-get install $2" "$cache/log/apt.log"
}

# Makes a root file system from Debian packages in a folder: make_root FOLDER BASE_TAR PACKAGE…   (BASE_TAR '-': from nothing)
make_root() {
    local log=$cache/log/$1.log
    mkdir -p "$cache/log"
    making=$(mktemp -d "$cache/making.XXXXXX")
    shift
    mirror=$(debian_mirror)
    debian_sources >"$making/sources.list"
    apt-config dump | grep -E '^Acquire::(Check-(Valid-Until|Date)|https?::(Proxy|Verify))' >"$making/apt.conf" || true
    isolated bash "$parts/make-root.sh" "$making" "$debian_suite" "$mirror" "$@" >"$log" 2>&1 ||
        fail "Debian packages could not be installed into a root file system" \
            "see the log; is the archive $mirror reachable? Another one: FAREBOX_BASE_MIRROR=URL" "$log"
}

# What is in the cache is named by what made it.
minbase_key=$debian_suite-$(key "$parts/make-root.sh")
minbase=$cache/debian/minbase-$minbase_key.tar
node_root=$cache/debian/node-$(key "$minbase_key" "${node_packages[@]}")

provide_minbase() {
    [ ! -s "$minbase" ] || return 0
    provide_command debootstrap debootstrap
    step "make Debian's smallest root file system (once, about 30 s)"
    make_root minbase -
    mkdir -p "$cache/debian"
    tar -C "$making/root" --numeric-owner --xattrs --xattrs-include=security.capability -cf "$making/root.tar" .
    mv "$making/root.tar" "$minbase"
    rm -rf "$making"
}

provide_node_root() {
    [ ! -d "$node_root" ] || return 0
    need_root "making the node's root file system"
    provide_minbase
    step "install the node's packages into a root file system (once, about 30 s): ${node_packages[*]}"
    make_root node "$minbase" "${node_packages[@]}"
    mv "$making/root" "$node_root"
    rm -rf "$making"
}
