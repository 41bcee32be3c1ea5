# shellcheck shell=bash
# Telling people what happens, how long it took and what went wrong. Sourced by the scripts of hack/.

progress_started=$(date +%s%N)

# Seconds since the script started, with one decimal.
elapsed() {
    local tenths=$((($(date +%s%N) - progress_started) / 100000000))
    printf '%d.%d' $((tenths / 10)) $((tenths % 10))
}

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\033[1m' green=$'\033[32m' red=$'\033[31m' plain=$'\033[0m'
else
    bold='' green='' red='' plain=''
fi

# A new part of the story.
step() { printf '\n%s==> [%6ss] %s%s\n' "$bold" "$(elapsed)" "$*" "$plain"; }

# A line within a part.
say() { printf '    [%6ss] %s\n' "$(elapsed)" "$*"; }

# The end, with the cause and the remedy: fail "what happened" "what to do".
fail() {
    printf '%sFAILED after %ss: %s%s\n' "$red" "$(elapsed)" "$1" "$plain" >&2
    [ -z "${2:-}" ] || printf '    what to do: %s\n' "$2" >&2
    exit 1
}

succeed() { printf '\n%s==> [%6ss] %s%s\n' "$green" "$(elapsed)" "$*" "$plain"; }

# Runs a command with its output in a log; says that it still runs every 15 seconds; shows the end of the log if it fails.
#   quietly LOGFILE "what it does" COMMAND…
quietly() {
    local log=$1 what=$2 status=0
    shift 2
    mkdir -p "$(dirname "$log")"
    say "$what"
    "$@" >"$log" 2>&1 &
    local job=$! waited=0
    while kill -0 "$job" 2>/dev/null; do
        sleep 1
        waited=$((waited + 1))
        [ $((waited % 15)) != 0 ] || say "… still running: $what (${waited}s)"
    done
    wait "$job" || status=$?
    [ "$status" = 0 ] || { tail -n 30 "$log" >&2; fail "$what (exit $status)" "read $log"; }
}
