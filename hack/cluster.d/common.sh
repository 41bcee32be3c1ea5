# shellcheck shell=bash disable=SC2034,SC2154 # the parts share variables, see hack/cluster
# What every part of hack/cluster shares: where things lie, how progress and errors are told, how daemons are kept.
#
# Two places hold everything:
#   $cache       what takes long to make: Kubernetes, Debian root file systems, image layers. Keyed by what made it.
#   $state_root  one folder for each cluster: keys, logs, etcd, containerd, registry. `down` removes it.

cache=${FAREBOX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/farebox}
state_root=${FAREBOX_STATE:-/var/tmp/farebox-$(id -u)}

started=${FAREBOX_STARTED:-${EPOCHREALTIME/[.,]/}}
export FAREBOX_STARTED=$started # the parts that run inside the cluster's namespace count on

# Prints one line of progress with the seconds since the start.
step() {
    local milliseconds=$(((${EPOCHREALTIME/[.,]/} - started) / 1000))
    printf '%5d.%d s  %s\n' $((milliseconds / 1000)) $((milliseconds % 1000 / 100)) "$*" >&2
}

# Ends with what happened, the end of the log that tells more, and what to do about it: fail MESSAGE REMEDY [LOG]
fail() {
    printf '\nhack/cluster: %s\n' "$1" >&2
    if [ -s "${3:-}" ]; then
        printf '\nThe end of %s:\n' "$3" >&2
        tail -n 20 "$3" | sed 's/^/    /' >&2
    fi
    printf '\nWhat to do: %s\n' "$2" >&2
    exit 1
}

need_root() {
    [ "$(id -u)" = 0 ] || fail "$1 needs root, this is $(id -un)" "run it as root, or give a cluster with --kubeconfig FILE"
}

# Daemons. Each has $state/pid/NAME ("pid start-time", so that a recycled pid is never taken for ours) and $state/log/NAME.log.

start_time() { # of process $1, in clock ticks since boot; field 22, counted after the command's closing parenthesis
    local stat
    { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
    stat=${stat##*) }
    # shellcheck disable=SC2086 # split into fields
    set -- $stat
    echo "${20}"
}

children() { # of process $1; a minimal Debian has no pgrep
    cat "/proc/$1/task/$1/children" 2>/dev/null || true
}

alive() {
    local pid ticks
    { read -r pid ticks <"$state/pid/$1"; } 2>/dev/null && [ "$(start_time "$pid")" = "$ticks" ]
}

remember() { # NAME PID
    echo "$2 $(start_time "$2")" >"$state/pid/$1"
}

# Starts a daemon unless it runs already: start NAME COMMAND…
start() {
    local name=$1
    shift
    ! alive "$name" || return 0
    setsid nohup "$@" >>"$state/log/$name.log" 2>&1 </dev/null &
    remember "$name" $!
}

# Waits until a command succeeds, at most a minute, and only while the daemon lives: wait_for NAME COMMAND…
wait_for() {
    local name=$1 deadline=$((SECONDS + 60))
    shift
    until "$@" >/dev/null 2>&1; do
        alive "$name" || fail "$name died while it started" "read its log; then hack/cluster down and up again" "$state/log/$name.log"
        [ $SECONDS -lt $deadline ] || fail "$name was not ready after 60 s ($*)" "read its log; then hack/cluster down and up again" "$state/log/$name.log"
        sleep 0.1
    done
}

signal() { # SIGNAL NAME
    local pid
    read -r pid _ <"$state/pid/$2"
    kill "-$1" "$pid" 2>/dev/null || true # it may just have ended
}

# Ends daemons and waits until they are gone; SIGKILL after 5 s: stop NAME…
stop() {
    local name deadline
    for name; do
        if alive "$name"; then signal TERM "$name"; fi
    done
    for name; do
        deadline=$((SECONDS + 5))
        while alive "$name"; do
            [ $SECONDS -lt $deadline ] || signal KILL "$name"
            sleep 0.05
        done
        rm -f "$state/pid/$name"
    done
}
