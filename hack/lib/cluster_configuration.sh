#!/bin/bash
# Prints farebox.yaml for a cluster of hack/cluster, from what `hack/cluster env` exported: cluster_configuration.sh DOMAIN
set -euo pipefail

# Builds reach the Internet without private ranges, and these: the registry and its mirror, this machine (which serves the
# context of Farebox's own image), and wherever apt's mirror is.
# shellcheck disable=SC2016 # apt fills it in
mapfile -t mirrors < <(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | sed -E 's|^[a-z]+://([^/:]+).*|\1|' | sort -u)
ranges=$({
    printf '%s\n' "${FAREBOX_REGISTRY%:*}" "${FAREBOX_MIRROR%:*}" "$FAREBOX_CLUSTER_HOST_ADDRESS"
    for mirror in "${mirrors[@]}"; do getent ahostsv4 "$mirror" | awk '{print $1}'; done
} | sort -u | awk '{print "    - " $1 "/32"}')

cat <<YAML
rootDomain: $1
publicURL: http://$1
registry:
  push: $FAREBOX_REGISTRY
  insecure:
    - $FAREBOX_REGISTRY
    - $FAREBOX_MIRROR
    - farebox-registry.farebox-system:5000 # manifests/components/registry, which Tests/EndToEnd/test_registry.py installs
  mirrors:
    docker.io: $FAREBOX_MIRROR
functions:
  runtimeClassName: $FAREBOX_RUNTIME_CLASS
  resources: # what all is scheduled by; one small node has to hold fifty functions and ten builds
    cpuRequest: 15m
  network:
    clusterCIDRs:
$(tr , '\n' <<<"$FAREBOX_CLUSTER_CIDRS" | sed 's|^|      - |')
    dns: # the resolver's Service, and the address behind it, which is what policies see
      cidrs:
        - $FAREBOX_DNS_ADDRESS/32
        - ${FAREBOX_DNS_ENDPOINT%:*}/32
builder:
  image: $FAREBOX_BUILDER_IMAGE
  keepsStateInMemory: ${FAREBOX_BUILDS_IN_MEMORY:-false}
  memory: 4Gi
  cpu: 10m # a processor's weight as well: what is built must not keep what is called from starting
  egressCIDRs:
$ranges
git: # the trial's Git host speaks plain http on a private address
  scratchFolder: /var/lib/farebox
  allowsPlainHTTP: true
  allowsPrivateAddresses: true
gitHub: # the end-to-end tests' own, Tests/EndToEnd/git_hosts.py
  apiURL: http://$FAREBOX_CLUSTER_HOST_ADDRESS:8930/api/v3
  app:
    namespace: farebox-system
    name: farebox-github-app
gateway: # by TLS too, with the certificates of Tests/EndToEnd/test_certificates.py
  tls: {}
  wakeTimeout: 5m # one small node builds and starts at once
artifacts:
  keyPath: /etc/farebox-artifacts/key
async: # answers are posted to the end-to-end tests' own server, Tests/EndToEnd/test_async.py
  callbackAllowedCIDRs: [$FAREBOX_CLUSTER_HOST_ADDRESS/32]
payments: # the wallet of the end-to-end tests, Tests/EndToEnd/wallet.py, serves on this machine
  hostPointer: \$$FAREBOX_CLUSTER_HOST_ADDRESS:8931/host
  asset: {code: XRP, scale: 9}
  publicURL: https://pay.$1
  wallets:
    allowsPorts: true
    allowedCIDRs: [$FAREBOX_CLUSTER_HOST_ADDRESS/32]
    certificatesPath: /etc/farebox-wallets/ca.crt
YAML
