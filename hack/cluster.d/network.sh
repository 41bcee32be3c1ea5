# shellcheck shell=bash disable=SC2034,SC2154 # the parts share variables, see hack/cluster
# The machine's side of a cluster's network: one veth pair, three routes, one NAT table, forwarding. What was switched for the
# first cluster is put back after the last one.

# The addresses of cluster number $number, 0 to 9; what env, status and the node use.
set_addresses() {
    link=fbx$number host_address=10.98.$number.1 uplink_address=10.98.$number.2
    node_address=10.99.$number.1 nodes=10.99.$number.0/24
    pods=10.$((244 + number)).0.0/16 node_pods=10.$((244 + number)).0.0/22 # 1022 pod addresses: 250 pods and their successors
    services=10.$((100 + number)).0.0/16 first_service=10.$((100 + number)).0.1 dns_address=10.$((100 + number)).0.10
    registry=$node_address:5000 mirror_registry=$node_address:5001
    api_address=$node_address api_port=6443 etcd_port=2379 peer_port=2380
}

# The first number whose link and networks nothing on this machine uses.
choose_number() {
    local network
    for number in 0 1 2 3 4 5 6 7 8 9; do
        set_addresses
        ! grep -qsx "number=$number" "$state_root"/*/cluster.env || continue
        [ ! -e "/sys/class/net/$link" ] || continue
        for network in "$host_address/30" "$nodes" "$pods" "$services"; do
            [ -z "$(net ip -4 route show table all root "$network")" ] || continue 2
        done
        return
    done
    fail "none of the subnets 10.98.N.0/30, 10.99.N.0/24, 10.(244+N).0.0/16, 10.(100+N).0.0/16 is free (N = 0 to 9)" \
        "take another cluster down, or remove the routes of one of these"
}

# The machine's command, else the one of the node's root file system; both work on this network namespace.
net() {
    if command -v "$1" >/dev/null; then "$@"; else chroot "$node_root" "$@"; fi
}

nat_table() { # in a table of our own, which goes as one
    cat <<NFT
table ip farebox_$link {
  chain postrouting {
    type nat hook postrouting priority srcnat
    ip saddr $uplink_address oifname != "$link" masquerade
  }
}
NFT
}

# A firewall that forwards nothing by itself (Docker's, say) must let the link pass; no table of ours can say so.
forward_rules() { # -C, -I or -D
    iptables -w "$1" FORWARD -i "$link" -j ACCEPT
    iptables -w "$1" FORWARD -o "$link" -j ACCEPT
}

connect_network() { # PID of the namespace
    local mtu route boot
    mtu=$(uplink_mtu)
    net ip link add "$link" mtu "$mtu" type veth peer name uplink mtu "$mtu" netns "$1"
    net ip addr add "$host_address/30" dev "$link"
    net ip link set "$link" up
    in_node bash -euc "ip addr add $uplink_address/30 dev uplink; ip link set uplink up; ip route add default via $host_address"
    for route in "$nodes" "$pods" "$services"; do
        net ip route replace "$route" via "$uplink_address"
    done
    # What another boot noted is no longer true.
    boot=$(</proc/sys/kernel/random/boot_id)
    grep -qsx "$boot" "$state_root/boot" || rm -f "$state_root/ip_forward"
    echo "$boot" >"$state_root/boot"
    [ -e "$state_root/ip_forward" ] || cat /proc/sys/net/ipv4/ip_forward >"$state_root/ip_forward"
    echo 1 >/proc/sys/net/ipv4/ip_forward
    nat_table | net nft -f -
    if command -v iptables >/dev/null && [ "$(iptables -S FORWARD | sed -n 1p)" = "-P FORWARD DROP" ]; then
        forward_rules -I
    fi
}

uplink_mtu() { # of the default route's device: a larger one inside loses packets
    local device
    device=$(net ip -4 route show default | sed -n 's/.* dev \([^ ]*\).*/\1/p' | sed -n 1p)
    awk '{print ($1 > 1500) ? 1500 : $1}' "/sys/class/net/${device:-lo}/mtu"
}

disconnect_network() {
    net ip link del "$link" 2>/dev/null || true
    net nft delete table ip "farebox_$link" 2>/dev/null || true
    if command -v iptables >/dev/null; then
        while forward_rules -C 2>/dev/null; do forward_rules -D; done
    fi
    # The last cluster puts forwarding back as the first one found it.
    if [ -e "$state_root/ip_forward" ] && ! other_clusters; then
        cat "$state_root/ip_forward" >/proc/sys/net/ipv4/ip_forward
        rm -f "$state_root/ip_forward" "$state_root/boot"
    fi
}

other_clusters() { # whether one is up that needs forwarding too
    local record
    for record in "$state_root"/*/cluster.env; do
        [ "$record" = "$state/cluster.env" ] || ! grep -qsx provider=debian "$record" || return 0
    done
    return 1
}
