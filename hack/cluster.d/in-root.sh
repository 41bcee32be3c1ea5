#!/bin/bash
# Runs one of our scripts inside a root file system: in-root.sh ROOT SCRIPT ARGUMENT…   (called through `isolated`)
set -euo pipefail

root=$1 script=$2
shift 2
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
cp /etc/resolv.conf "$root/etc/resolv.conf"
install -m 755 "$script" "$root/tmp/script"
exec nice chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 /tmp/script "$@"
