#!/bin/bash
# Prints farebox.yaml for a cluster of hack/cluster, from what `hack/cluster env` exported: cluster_configuration.sh DOMAIN
set -euo pipefail
list() { local word; for word in ${1//,/ }; do printf '    - %s\n' "$word"; done; }
cat <<YAML
rootDomain: $1
publicURL: http://$1
registry:
  prefix: $FAREBOX_REGISTRY
  insecure: true
  insecureRegistries: [$FAREBOX_MIRROR]
  mirrors:
    docker.io: $FAREBOX_MIRROR
functions:
  runtimeClassName: $FAREBOX_RUNTIME_CLASS
  network:
    clusterCIDRs:
$(list "$FAREBOX_CLUSTER_CIDRS")
    dns: # the resolver's Service, and the address behind it, which is what policies see
      cidrs: [$FAREBOX_DNS_ADDRESS/32, ${FAREBOX_DNS_ENDPOINT%:*}/32]
builds:
  image: $FAREBOX_BUILDER_IMAGE
git: # the trial's Git host speaks plain http on a private address
  allowsPlainHTTP: true
  allowsPrivateAddresses: true
artifacts:
  keyPath: /etc/farebox-artifacts/key
YAML
