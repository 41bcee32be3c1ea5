#!/bin/bash
# Builds an image in the cluster with the builder that functions are built with, and prints its digest.
#
#   build_image.sh FAREBOX CONFIG FOLDER IMAGE LOG      FAREBOX is the executable, CONFIG its farebox.yaml
#
# The Job is the one that the operator would make (`farebox build-job`); only its context comes from a small server here.
set -euo pipefail
farebox=$1 configuration=$2 folder=$3 image=$4 log=$5
work=$(mktemp -d)
server=''
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

mkdir "$work/tar" "$work/artifacts"
ln -s "$(readlink -f "$folder")" "$work/tar/context"
printf '{"image":"%s"}' "$image" >"$work/tar/com.openfaas.docker.config"
tar -C "$work/tar" -h --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 \
    -cf "$work/context.tar" com.openfaas.docker.config context
digest=$(sha256sum <"$work/context.tar" | cut -c1-64)
mv "$work/context.tar" "$work/artifacts/sha256-$digest.tar"

python3 -u -m http.server --bind "$FAREBOX_CLUSTER_HOST_ADDRESS" --directory "$work" 0 >"$work/server.log" 2>&1 &
server=$!
until port=$(sed -n 's/^Serving HTTP on [^ ]* port \([0-9]*\).*/\1/p' "$work/server.log") && [ -n "$port" ]; do sleep 0.1; done

sed "s|^builder:|&\n  artifactsURL: http://$FAREBOX_CLUSTER_HOST_ADDRESS:$port|" "$configuration" >"$work/farebox.yaml"
job() { "$farebox" build-job --config "$work/farebox.yaml" --image "$image" --context-digest "$digest" "$@"; }
name=$(job | python3 -c 'import json, sys; print(json.load(sys.stdin)["metadata"]["name"])')
kubectl delete job "$name" -n farebox-builds --ignore-not-found --wait >"$log" 2>&1
job | kubectl apply -f - >>"$log" 2>&1
uid=$(kubectl get job "$name" -n farebox-builds -o 'jsonpath={.metadata.uid}')
job --job-uid "$uid" | kubectl apply -f - >>"$log" 2>&1

phase=''
until [ "$phase" = Succeeded ] || [ "$phase" = Failed ]; do
    sleep 0.5
    phase=$(kubectl get pods -n farebox-builds -l "job-name=$name" -o 'jsonpath={.items[0].status.phase}' 2>/dev/null || true)
done
kubectl logs -n farebox-builds "job/$name" >>"$log" 2>&1 || true
result=$(kubectl get pods -n farebox-builds -l "job-name=$name" -o 'jsonpath={.items[0].status.containerStatuses[0].state.terminated.message}')
kubectl delete job "$name" -n farebox-builds >>"$log" 2>&1
[ "$phase" = Succeeded ] || { tail -n 20 "$log" >&2; exit 1; }
python3 -c 'import json, sys; print(json.loads(sys.argv[1])["containerimage.digest"])' "$result"
