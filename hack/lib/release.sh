# shellcheck shell=bash
# The release executables of this checkout. Sourced after progress.sh and packages.sh.
. hack/lib/swift.sh

# Compiles one, unless the same sources were compiled before, and sets release_binary to its path:
#   compile_release LOGFILE [PRODUCT]
#
# PRODUCT is farebox, or LedgerDriver for measuring the ledger alone.
# It is kept, stripped, in the cache beside hack/cluster's, named after everything it is made of: a clean clone of what was
# built before has it at once. The last few are kept.
compile_release() {
    local folder=${FAREBOX_CACHE:-$HOME/.cache/farebox}/releases product=${2:-farebox} identity sources=(Package.swift Sources)
    [ "$product" = farebox ] || sources+=("Tests/$product")
    # shellcheck disable=SC2154 # packages.sh sets it
    install_packages "${build_packages[@]}" binutils
    identity=$({
        swift --version 2>/dev/null
        dpkg-query -W "${build_packages[@]}"
        find "${sources[@]}" -type f -print0 | sort -z | xargs -0 sha256sum
    } | sha256sum | cut -c1-24)
    release_binary=$folder/$identity/$product
    if [ -x "$release_binary" ]; then
        touch "$folder/$identity"
        say "compiled before: $release_binary"
        return
    fi
    # A folder of its own: swift build and swift test wait for each other at the same one.
    quietly "$1" "swift build -c release" \
        swift_tool build --scratch-path .build/static -c release --static-swift-stdlib --product "$product"
    mkdir -p "$folder/$identity"
    strip -o "$release_binary.$$" ".build/static/release/$product"
    mv "$release_binary.$$" "$release_binary"
    find "$folder" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %p\n' | sort -rn | tail -n +6 | cut -d' ' -f2- | xargs -r rm -rf
}
