# shellcheck shell=bash
# Swift's package manager, without what it leaves behind in /tmp.

# Runs swift with a folder for temporary files that goes when it is done: swift_tool build|test [ARGUMENT…]
#
# Folders in /tmp: tests put sockets there, whose paths must be short.
swift_tool() {
    local folder status=0
    folder=$(mktemp -d /tmp/farebox-swift-XXXXXX)
    TMPDIR=$folder swift "$@" || status=$?
    rm -rf "$folder"
    return "$status"
}
