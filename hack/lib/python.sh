# shellcheck shell=bash
# Python packages that tests use, kept in the cache. Sourced after progress.sh and packages.sh.

# The packages of the S3 server that the tests of the log store speak with: moto's, without the services nobody asks for.
# shellcheck disable=SC2034 # for the scripts that source this
moto_packages=("moto[s3]==5.0.28" "flask==3.1.0" "flask-cors==5.0.0")

# Makes a virtual environment and prints its folder: python_environment NAME PACKAGE…
python_environment() {
    local name=$1 folder stamp
    shift
    folder=${FAREBOX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/farebox}/python/$name
    stamp=$(printf '%s\n' "$@" | sha256sum | cut -c1-16)
    if [ ! -e "$folder/$stamp" ]; then
        install_packages python3-venv >&2
        say "installing for Python: $*" >&2
        rm -rf "$folder"
        # Its scripts name their place, so it is made where it stays; the stamp says that it is whole.
        /usr/bin/python3 -m venv "$folder" &&
            "$folder/bin/pip" install --quiet --disable-pip-version-check "$@" >&2 || return 1
        touch "$folder/$stamp"
    fi
    printf '%s\n' "$folder"
}
