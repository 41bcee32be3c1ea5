#!/bin/bash
# Turns fresh mount, network and pid namespaces into the cluster's node, and becomes their process 1.
#
#   unshare --mount --net --pid --fork … enter-node.sh STATE NODE_ROOT CACHE PAUSE
#
# The node's root is a tmpfs with the cached Debian root bound into it read-only, and the cluster's state at its usual path.
# The machine's own mounts are left behind, so nothing inside can reach them, and all ends when process 1 is killed.
set -euo pipefail

state=$1 node_root=$2 cache=$3 pause=$4
root=$state/root

mount --make-rprivate /
mkdir -p "$root"
mount -t tmpfs -o mode=755 tmpfs "$root"
for entry in "$node_root"/*; do
    name=${entry##*/}
    if [ -L "$entry" ]; then
        cp -P "$entry" "$root/$name" # bin -> usr/bin and the like
    else
        mkdir "$root/$name"
    fi
done
for name in usr etc; do
    mount --bind "$node_root/$name" "$root/$name"
    mount -o remount,bind,ro "$root/$name"
done
mkdir -p "$root"/var/{cache,lib,log,tmp} "$root/run/netns" "$root/old"
ln -s /run "$root/var/run"
chmod 1777 "$root/tmp" "$root/var/tmp"
for path in "$state" "$cache"; do
    mkdir -p "$root$path"
    mount --bind "$path" "$root$path"
done
mount -o remount,bind,ro "$root$cache"
mkdir -p "$state/pods-log" "$root/var/log/pods"
mount --bind "$state/pods-log" "$root/var/log/pods" # on the disk, not in memory

mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --rbind /sys/fs/cgroup "$root/sys/fs/cgroup"
umount -l "$root/sys/fs/cgroup/unified" 2>/dev/null || true # of hybrid cgroups the node sees version 1 only
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mkdir "$root/run/netns"

# The kubelet writes these on the whole machine unless they have its values already: here it finds them, and writes nothing.
mkdir "$root/run/sysctl"
while read -r key value; do
    [ -e "$root/proc/sys/$key" ] || continue
    echo "$value" >"$root/run/sysctl/${key//\//.}"
    mount --bind "$root/run/sysctl/${key//\//.}" "$root/proc/sys/$key"
done <<'SYSCTLS'
vm/overcommit_memory 1
vm/panic_on_oom 0
kernel/panic 10
kernel/panic_on_oops 1
kernel/keys/root_maxkeys 1000000
kernel/keys/root_maxbytes 25000000
SYSCTLS

cd "$root"
pivot_root . old
umount -l /old
rmdir /old
mount --make-rshared / # as the kubelet's mount propagation needs it
touch /run/entered
exec "$pause"
