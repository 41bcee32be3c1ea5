# shellcheck shell=bash disable=SC2034,SC2154 # the parts share variables, see hack/cluster
# `hack/cluster check`: proves on the running cluster what its help promises, in a namespace of its own, in about a minute.

checks_failed=0

check() { # WHAT COMMAND…   (the output of a failed one is told)
    local what=$1 output
    shift
    if output=$("$@" 2>&1); then
        step "ok      $what"
    else
        step "FAILED  $what"
        echo "            ${output//$'\n'/$'\n'            }" >&2
        checks_failed=$((checks_failed + 1))
    fi
}

ck() { kubectl --namespace "$check_namespace" "$@"; }

reaches() { # POD ADDRESS PORT: prints "open" or "closed", as seen from the pod within 2 s; anything else is a failure of the check
    ck exec "$1" -- python3 -c 'import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=2)
    print("open")
except OSError:
    print("closed")' "$2" "$3"
}

connects() { [ "$(reaches "$@")" = open ]; }

refuses() { [ "$(reaches "$@")" = closed ]; }

ends_with() { # POD TEXT: the pod succeeds within a minute, and the text is in its log
    local deadline=$((SECONDS + 60)) phase=''
    while [ $SECONDS -lt $deadline ]; do
        phase=$(ck get pod "$1" -o 'jsonpath={.status.phase}')
        case $phase in Succeeded | Failed) break ;; esac
        sleep 0.3
    done
    echo "phase $phase; log:"
    ck logs "$1" | tee >(cat >&2) | grep -q "$2" && [ "$phase" = Succeeded ]
}

check_pods() {
    ck apply -f - <<YAML >/dev/null
$(for pod in plain sandboxed; do cat <<POD
apiVersion: v1
kind: Pod
metadata: {name: $pod, labels: {app: $pod}}
spec:
  $([ "$pod" = plain ] || echo "runtimeClassName: $FAREBOX_RUNTIME_CLASS")
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: 0
  containers:
  - {name: main, image: "python:3-slim", command: [python3, -m, http.server, "8080"], ports: [{name: web, containerPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: $pod}
spec: {selector: {app: $pod}, ports: [{port: 80, targetPort: web}]}
---
POD
done)
YAML
    check "pods start, their image from the mirror of docker.io" ck wait --for=condition=Ready pod/plain pod/sandboxed --timeout=90s
    check "gVisor runs the sandboxed pod" ck exec sandboxed -- sh -c 'dmesg | grep -i gvisor'
    check "a pod's log is kept" ck logs sandboxed
    check "pods find Services by name" connects sandboxed plain 80
    check "pods reach the world by name" connects plain "$(sed 's,.*://,,; s,[/:].*,,' <<<"$(debian_mirror)")" 80
    check "this machine reaches pods by address" open_port "$(pod_address plain)" 8080
    check "this machine reaches Services by address" open_port "$(ck get service plain -o 'jsonpath={.spec.clusterIP}')" 80
}

pod_address() { ck get pod "$1" -o 'jsonpath={.status.podIP}'; }

check_policies() {
    check "policies mean what the reference says" in_node python3 -B -m unittest discover -s "$state/parts" -p '*_test.py'
    local target registry_host=${FAREBOX_REGISTRY%:*} registry_port=${FAREBOX_REGISTRY#*:} targets check_port
    check_port=$(free_port 39000)
    targets=("$FAREBOX_NODE_ADDRESS 6443 the API server" "$(kubectl get service kubernetes -o 'jsonpath={.spec.clusterIP}') 443 the API server's Service"
        "$registry_host $registry_port the registry" "$FAREBOX_NODE_ADDRESS 10250 the kubelet" "169.254.169.254 80 the metadata address"
        "$(pod_address plain) 8080 another pod" "$FAREBOX_CLUSTER_HOST_ADDRESS $check_port this machine")
    # Something to reach on this machine, for two minutes at most.
    timeout 120 chroot "$node_root" socat "TCP-LISTEN:$check_port,bind=$FAREBOX_CLUSTER_HOST_ADDRESS,fork,reuseaddr" /dev/null >/dev/null 2>&1 &
    local listener=$!
    for target in "${targets[@]}"; do
        # shellcheck disable=SC2086 # split on purpose
        check "without a policy: open to ${target#* * }" connects sandboxed ${target% "${target#* * }"}
    done
    ck apply -f - <<'YAML' >/dev/null
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: fence}
spec:
  podSelector: {matchLabels: {app: sandboxed}}
  policyTypes: [Ingress, Egress]
  egress:
  - to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}, podSelector: {matchLabels: {k8s-app: kube-dns}}}]
    ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
  - to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16]}}]
YAML
    sleep 1
    for target in "${targets[@]}"; do
        # shellcheck disable=SC2086 # split on purpose
        check "with a policy: closed to ${target#* * }" refuses sandboxed ${target% "${target#* * }"}
    done
    kill "$listener"
    check "with a policy: open to DNS and the world" connects sandboxed "$(sed 's,.*://,,; s,[/:].*,,' <<<"$(debian_mirror)")" 80
    check "with a policy: nobody reaches the pod" refuses plain "$(pod_address sandboxed)" 8080
    check "with a policy: this machine neither" not open_port "$(pod_address sandboxed)" 8080
    check "other pods are as open as before" connects plain "$FAREBOX_NODE_ADDRESS" 6443
    check_new_pod
}

not() { ! "$@"; }

open_port() { # ADDRESS PORT, from this machine
    # shellcheck disable=SC2016 # for the inner shell
    timeout 2 bash -c ': <"/dev/tcp/$0/$1"' "$1" "$2" 2>/dev/null
}

check_new_pod() { # its first packets count
    ck run late --image=python:3-slim --labels=app=sandboxed --restart=Never --command -- python3 -c "
import socket
for _ in range(20):
    try:
        socket.create_connection(('$FAREBOX_NODE_ADDRESS', 6443), timeout=0.1)
        raise SystemExit('it was open')
    except OSError:
        pass
print('closed from the start')" >/dev/null
    check "a new pod is closed from its first packet" ends_with late "closed from the start"
}

# What the build is made from, served by a pod.
serve_source() {
    local work
    work=$(mktemp -d)
    mkdir "$work/context"
    cat >"$work/context/Dockerfile" <<'DOCKERFILE'
FROM debian:bookworm-slim
ARG WHO
RUN apt-get update && apt-get install -y --no-install-recommends busybox && echo "built for $WHO" >/greeting
COPY hello /hello
CMD ["cat", "/greeting"]
DOCKERFILE
    echo hello >"$work/context/hello"
    tar -C "$work" -cf "$work/context.tar" context
    printf '[registry."%s"]\n  http = true\n[registry."%s"]\n  http = true\n[registry."docker.io"]\n  mirrors = ["%s"]\n' \
        "$FAREBOX_REGISTRY" "$FAREBOX_MIRROR" "$FAREBOX_MIRROR" >"$work/buildkitd.toml"
    ck create configmap build --from-file="$work/context.tar" --from-file="$work/buildkitd.toml" >/dev/null
    rm -rf "$work"
    ck apply -f - <<'YAML' >/dev/null
apiVersion: v1
kind: Pod
metadata: {name: source, labels: {app: source}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: main
    image: python:3-slim
    command: [python3, -m, http.server, --directory, /source, "8080"]
    readinessProbe: {httpGet: {port: 8080, path: /}, periodSeconds: 1}
    volumeMounts: [{name: source, mountPath: /source}]
  volumes: [{name: source, configMap: {name: build}}]
---
apiVersion: v1
kind: Service
metadata: {name: source}
spec: {selector: {app: source}, ports: [{port: 80, targetPort: 8080}]}
YAML
    check "a pod with a probe is ready" ck wait --for=condition=Ready pod/source --timeout=60s
}

# A build as Farebox's own Jobs do it: rootless, context from a tar over http, pushed with the password, run from there.
check_build() {
    serve_source
    ck create secret docker-registry registry --docker-server="$FAREBOX_REGISTRY" --docker-username="$FAREBOX_REGISTRY_USER" \
        --docker-password="$FAREBOX_REGISTRY_PASSWORD" >/dev/null
    ck apply -f - <<YAML >/dev/null
apiVersion: batch/v1
kind: Job
metadata: {name: build}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      automountServiceAccountToken: false
      enableServiceLinks: false
      activeDeadlineSeconds: 300
      terminationGracePeriodSeconds: 1
      securityContext: {runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000}
      containers:
      - name: build
        image: $FAREBOX_BUILDER_IMAGE
        command: [sh, -c, 'buildctl-daemonless.sh "\$@" && cp /home/user/.local/share/buildkit/metadata.json /dev/termination-log', sh]
        args: [build, --progress=plain, --frontend=dockerfile.v0, --opt, "context=http://source/context.tar", --opt, contextsubdir=context,
          --opt, filename=context/Dockerfile, --opt, "build-arg:WHO=you", --output, "type=image,name=$FAREBOX_REGISTRY/check/app:$check_namespace,push=true",
          --metadata-file, /home/user/.local/share/buildkit/metadata.json]
        terminationMessagePolicy: FallbackToLogsOnError
        env:
        - {name: BUILDKITD_FLAGS, value: "--oci-worker-no-process-sandbox --config /etc/farebox/buildkitd.toml"}
        - {name: DOCKER_CONFIG, value: /etc/farebox/registry}
        - {name: TMPDIR, value: /tmp}
        securityContext: {seccompProfile: {type: Unconfined}, capabilities: {drop: [ALL], add: [SETUID, SETGID]}, readOnlyRootFilesystem: true}
        resources: {limits: {memory: 2Gi}}
        volumeMounts:
        - {name: state, mountPath: /home/user/.local/share/buildkit}
        - {name: tmp, mountPath: /tmp}
        - {name: run, mountPath: /run/user/1000}
        - {name: configuration, mountPath: /etc/farebox}
      volumes:
      - {name: state, emptyDir: {}}
      - {name: tmp, emptyDir: {}}
      - {name: run, emptyDir: {medium: Memory}}
      - name: configuration
        projected:
          sources:
          - configMap: {name: build, items: [{key: buildkitd.toml, path: buildkitd.toml}]}
          - secret: {name: registry, items: [{key: .dockerconfigjson, path: registry/config.json}]}
YAML
    check "a rootless build, its base from the mirror, apt-get in a step, pushed with the password" build_succeeds
    check "its digest is the pod's termination message" digest_is_told
    check_pull
}

digest_is_told() {
    local message
    message=$(ck get pod -l job-name=build -o 'jsonpath={.items[0].status.containerStatuses[0].state.terminated.message}')
    echo "$message"
    [[ $message == *'"containerimage.digest": "sha256:'* ]]
}

build_succeeds() {
    local deadline=$((SECONDS + 290)) state
    while [ $SECONDS -lt $deadline ]; do
        state=$(ck get job build -o 'jsonpath={.status.conditions[0].type}')
        [ "$state" != Complete ] || return 0
        [ -z "$state" ] || break
        sleep 0.5
    done
    ck logs job/build --tail=30
    return 1
}

check_pull() {
    local with='{"apiVersion":"v1","spec":{"imagePullSecrets":[{"name":"registry"}]}}'
    ck run stranger --image="$FAREBOX_REGISTRY/check/app:$check_namespace" --restart=Never >/dev/null
    check "a pod without the password cannot pull what was built" stranger_is_refused
    ck run friend --image="$FAREBOX_REGISTRY/check/app:$check_namespace" --restart=Never --overrides="$with" >/dev/null
    check "a pod with it runs what was built" ends_with friend "built for you"
}

stranger_is_refused() {
    local deadline=$((SECONDS + 30))
    while [ $SECONDS -lt $deadline ]; do
        case $(ck get pod stranger -o 'jsonpath={.status.containerStatuses[0].state}') in
        *ErrImagePull* | *ImagePullBackOff*) return 0 ;;
        *unning* | *erminated*) return 1 ;;
        esac
        sleep 0.3
    done
    return 1
}

run_checks() {
    local variable
    eval "$("${provider//-/_}_env")"
    for variable in "${given_variables[@]}"; do
        [ -n "${!variable:-}" ] || fail "$variable is not set for the cluster $name" "name it before hack/cluster up; hack/cluster --help tells what it is"
    done
    check_namespace=check-$RANDOM
    kubectl create namespace "$check_namespace" >/dev/null
    trap 'kubectl delete namespace "$check_namespace" --wait=false >/dev/null' EXIT
    until ck get serviceaccount default >/dev/null 2>&1; do sleep 0.1; done
    check_pods
    check_build
    check_policies
    [ $checks_failed = 0 ] || fail "$checks_failed checks failed" "see above; logs in $state/log"
    step "all checks passed"
}
