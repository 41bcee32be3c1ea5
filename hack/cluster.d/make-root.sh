#!/bin/bash
# Makes a Debian root file system in WORK/root; runs in mount and pid namespaces of its own (see `isolated` in debian.sh).
#
#   make-root.sh WORK SUITE MIRROR BASE_TAR|- [PACKAGE…]      WORK holds sources.list and apt.conf for the root
set -euo pipefail

work=$1 suite=$2 mirror=$3 base=$4
shift 4
root=$work/root
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

if [ "$base" = - ]; then
    debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" "$mirror"
    # No documentation, as in Debian's own slim images, and no service started by a package.
    printf 'path-exclude /usr/share/%s/*\n' doc groff info linda lintian locale man >"$root/etc/dpkg/dpkg.cfg.d/slim"
    rm -rf "$root"/usr/share/{doc,groff,info,lintian,locale,man}/*
    # As in Debian's own images: nobody reads translations in a container, and its files need not outlive a power cut.
    printf 'Acquire::Languages "none";\nAPT::AutoRemove::SuggestsImportant "false";\n' >"$root/etc/apt/apt.conf.d/docker"
    echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/docker"
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod 755 "$root/usr/sbin/policy-rc.d"
else
    mkdir "$root"
    tar -C "$root" --numeric-owner --xattrs --xattrs-include=security.capability -xf "$base"
fi
cp "$work/sources.list" "$root/etc/apt/sources.list"
cp "$work/apt.conf" "$root/etc/apt/apt.conf.d/90host"
cp /etc/resolv.conf "$root/etc/resolv.conf"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"

apt() { chroot "$root" apt-get -y -q -o APT::Install-Recommends=false -o APT::Sandbox::User=root "$@" </dev/null; }
apt update
apt dist-upgrade
[ $# = 0 ] || apt install "$@"
apt clean

umount "$root/proc"
umount -l "$root/dev"
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/log/*.log "$root"/var/log/apt "$root"/var/cache/{apt,debconf,ldconfig}/* "$root"/tmp/*
: >"$root/etc/resolv.conf"
rm -f "$root/etc/hostname"
