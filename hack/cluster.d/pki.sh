# shellcheck shell=bash disable=SC2034,SC2154 # the parts share variables, see hack/cluster
# Certificates, the service-account key pair and kubeconfigs of one cluster, made with openssl. P-256 keys: all in 0.3 s.

pki=$state/pki

certificate() { # NAME SUBJECT [SUBJECT_ALTERNATIVE_NAMES]
    [ ! -s "$pki/$1.crt" ] || return 0
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$pki/$1.key" -subj "$2" -out "$pki/$1.csr"
    {
        echo "extendedKeyUsage=clientAuth,serverAuth"
        [ -z "${3:-}" ] || echo "subjectAltName=$3"
    } >"$pki/$1.ext"
    openssl x509 -req -in "$pki/$1.csr" -CA "$pki/ca.crt" -CAkey "$pki/ca.key" -CAcreateserial -days 3650 \
        -extfile "$pki/$1.ext" -out "$pki/$1.crt.new"
    mv "$pki/$1.crt.new" "$pki/$1.crt" # only a whole certificate counts as made
}

kubeconfig() { # NAME SERVER: JSON is YAML, and one line of it is enough
    data() { base64 -w 0 "$pki/$1"; }
    (
        umask 077
        printf '{"apiVersion":"v1","kind":"Config","current-context":"farebox","contexts":[{"name":"farebox","context":{"cluster":"farebox","user":"%s"}}],"clusters":[{"name":"farebox","cluster":{"server":"%s","certificate-authority-data":"%s"}}],"users":[{"name":"%s","user":{"client-certificate-data":"%s","client-key-data":"%s"}}]}\n' \
            "$1" "$2" "$(data ca.crt)" "$1" "$(data "$1.crt")" "$(data "$1.key")" >"$state/kubeconfig/$1"
    )
}

# Makes what is missing: make_pki SERVER API_ADDRESS FIRST_SERVICE_ADDRESS [NODE_NAME]
make_pki() {
    local server=$1 names=DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local
    (umask 077 && mkdir -p "$pki")
    mkdir -p "$state/kubeconfig"
    {
        [ -s "$pki/ca.crt" ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
            -subj /CN=farebox-test-ca -keyout "$pki/ca.key" -out "$pki/ca.crt"
        if [ ! -s "$pki/sa.pub" ]; then
            openssl genrsa -out "$pki/sa.key" 2048
            openssl rsa -in "$pki/sa.key" -pubout -out "$pki/sa.pub"
        fi
        certificate apiserver /CN=kube-apiserver "$names,DNS:localhost,IP:$2,IP:$3"
        certificate admin /O=system:masters/CN=admin
        certificate controller-manager /CN=system:kube-controller-manager
        if [ -n "${4:-}" ]; then
            certificate kubelet-client /O=system:masters/CN=apiserver-kubelet-client
            certificate scheduler /CN=system:kube-scheduler
            certificate proxy /CN=system:kube-proxy
            certificate kubelet "/O=system:nodes/CN=system:node:$4" "DNS:$4,IP:$2" # also its serving certificate
        fi
    } >"$state/log/pki.log" 2>&1 || fail "openssl could not make the cluster's certificates" "read the log" "$state/log/pki.log"
    kubeconfig admin "$server"
    kubeconfig controller-manager "$server"
    if [ -n "${4:-}" ]; then
        kubeconfig scheduler "$server"
        kubeconfig proxy "$server"
        kubeconfig kubelet "$server"
    fi
}
