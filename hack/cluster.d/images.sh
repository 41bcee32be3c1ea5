# shellcheck shell=bash disable=SC2034,SC2154 # the parts share variables, see hack/cluster
# The images of a cluster without a hub: Debian bases, Python, the builder and pause, made from Debian packages.
# They are kept in the cache as a registry's storage folder, which the mirror serves as it is and the registry starts from.

# Names as on docker.io. Debian 12's Python is 3.11; python:3 and python:3-slim are what a careful Dockerfile names.
debian_names=(library/debian:{bookworm,bookworm-slim,12,12-slim,stable-slim,latest})
python_names=(library/python:{3,3-slim,3-slim-bookworm,3.11,3.11-slim,3.11-slim-bookworm,latest})
python_packages=(python3 python3-pip)
builder_packages=(curl docker.io jq libcap2-bin pigz rootlesskit uidmap)
image_path='PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

builder_name=farebox/builder:$(key "$minbase_key" "${builder_packages[@]}" "$parts"/builder-image/*)
images=$cache/images/$(key "$minbase_key" "$kubernetes" "$parts/image.py" "$parts/images.sh" "$parts"/builder-image/*)

provide_images() {
    [ ! -d "$images" ] || return 0
    local result
    result=$(mktemp -d "$cache/making.XXXXXX")
    step "make the images of Debian, Python and the builder (once, about 90 s)"
    make_image debian "$result" "{\"Cmd\":[\"bash\"],\"Env\":[\"$image_path\"]}" "${debian_names[@]}"
    make_image python "$result" "{\"Cmd\":[\"python3\"],\"Env\":[\"$image_path\",\"LANG=C.UTF-8\"]}" "${python_names[@]}"
    make_image builder "$result" "{\"Entrypoint\":[\"buildctl-daemonless.sh\"],\"User\":\"1000:1000\",\"Env\":[
        \"$image_path\",\"HOME=/home/user\",\"USER=user\",\"XDG_RUNTIME_DIR=/run/user/1000\"]}" "$builder_name" farebox/builder:latest
    make_pause "$result"
    mkdir -p "$cache/images"
    mv "$result" "$images"
}

image_py() { # runs with the node's Python on the machine's files, in a mount namespace that forgets them
    # shellcheck disable=SC2016 # for the inner shell
    isolated bash -euc 'root=$1 cache=$2 parts=$3; shift 3
        mount -t tmpfs tmpfs "$root/mnt"
        mkdir "$root/mnt/cache" "$root/mnt/parts"
        mount --bind "$cache" "$root/mnt/cache"
        mount --bind "$parts" "$root/mnt/parts"
        exec chroot "$root" python3 /mnt/parts/image.py "${@/#"$cache"/\/mnt\/cache}"' - "$node_root" "$cache" "$parts" "$@"
}

make_image() { # KIND RESULT CONFIG NAME:TAG…
    local kind=$1 result=$2 config=$3 packages="${1}_packages[@]" layer=$2/$1.tar.gz
    shift 3
    step "   $kind"
    case $kind in debian) packages=() ;; *) packages=("${!packages}") ;; esac
    make_root "$kind" "$minbase" "${packages[@]}"
    "customise_$kind" "$making/root"
    {
        image_py layer "$making/root" "$layer" && image_py store "$layer" "$result/registry" "$config" "$@"
    } >"$cache/log/$kind-image.log" 2>&1 || fail "the image $kind could not be made" "see the log" "$cache/log/$kind-image.log"
    rm -rf "$making" "$layer" "$layer.json"
}

customise_debian() { rm -rf "$1"/usr/share/bash-completion; }

customise_python() { # python and pip as in the image of that name: in charge of the system's packages
    ln -s /usr/bin/python3 "$1/usr/local/bin/python"
    rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED
}

customise_builder() { # the same user, folders and paths as moby/buildkit's rootless image
    local root=$1 file
    # Debian's newuidmap is set-uid root without libcap, which fails in a pod; file capabilities work.
    chmod u-s "$root"/usr/bin/new[ug]idmap
    chroot "$root" setcap cap_setuid=ep /usr/bin/newuidmap
    chroot "$root" setcap cap_setgid=ep /usr/bin/newgidmap
    chroot "$root" useradd --uid 1000 --create-home user
    for file in subuid subgid; do echo user:100000:65536 >"$root/etc/$file"; done
    install -D -m 755 "$parts/builder-image/buildctl-daemonless.sh" "$root/usr/local/bin/buildctl-daemonless.sh"
    install -D -m 755 "$parts/builder-image/runc" "$root/usr/local/libexec/builder/runc"
    install -d -o 1000 -g 1000 "$root/run/user/1000" "$root"/home/user/{.local,.local/share,.local/share/buildkit}
    rm -rf "$root"/usr/bin/{ctr,rootlessctl,containerd-shim*,dnet,ovrouter} "$root"/usr/sbin/{ctr,dnet,ovrouter,docker-proxy}
}

make_pause() { # RESULT: the image of a pod's first process, imported into containerd, so it needs no registry
    local folder=$1/pause
    mkdir "$folder"
    cp "$kubernetes/pause" "$folder/pause"
    image_py layer "$folder" "$1/pause.tar.gz"
    image_py archive "$1/pause.tar.gz" "$1/pause.tar" '{"Entrypoint":["/pause"]}' farebox.local/pause:1
    rm -rf "$folder" "$1/pause.tar.gz" "$1/pause.tar.gz.json"
}
