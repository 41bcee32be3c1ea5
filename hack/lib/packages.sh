# shellcheck shell=bash
# Debian packages that the scripts of hack/ need. Sourced after progress.sh.

# What it takes to compile Farebox beside the Swift toolchain.
# shellcheck disable=SC2034 # for the scripts that source this
build_packages=(libarchive-dev libcurl4-openssl-dev libnats-dev libnghttp2-dev libpq-dev libsodium-dev libsqlite3-dev libssl-dev libyaml-dev git)

# Installs what is missing, without starting a service of any of them: install_packages NAME…
install_packages() {
    local missing=()
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} != 0 ] || return 0
    [ "$(id -u)" = 0 ] || fail "packages are missing: ${missing[*]}" "run as root, or: apt-get install ${missing[*]}"
    say "installing ${missing[*]}"
    local log policy=/usr/sbin/policy-rc.d kept=''
    log=$(mktemp)
    # Debian's packages start their services; ours run in a namespace of their own, so none may start on the machine.
    [ ! -e "$policy" ] || { kept=$policy.farebox && mv "$policy" "$kept"; }
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
    local status=0
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "${missing[@]}"; } >"$log" 2>&1 || status=$?
    rm -f "$policy"
    [ -z "$kept" ] || mv "$kept" "$policy"
    [ "$status" = 0 ] || { tail -n 20 "$log" >&2; fail "apt-get install ${missing[*]}" "read $log; check apt's sources"; }
    rm -f "$log"
}
