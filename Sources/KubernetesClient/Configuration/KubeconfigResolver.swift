import Cryptography
import HTTP
import JSON

/// Turns a context of a kubeconfig into the configuration of a client, and refuses what contradicts itself.
struct KubeconfigResolver {
    let config: Kubeconfig

    /// Returns the configuration of a context.
    ///
    /// - Parameter context: Its name; `nil` takes the current one.
    func configuration(context override: String?) throws(ConfigurationError) -> ClientConfiguration {
        let contextName = override ?? config.currentContext ?? ""
        guard !contextName.isEmpty else { throw .invalid("the kubeconfig has no current-context; name one") }
        guard let context = config.contexts?.first(where: { $0.name == contextName })?.context else {
            throw .missing(what: "context", name: contextName)
        }
        let clusterName = context.cluster ?? ""
        guard let cluster = config.clusters?.first(where: { $0.name == clusterName })?.cluster else {
            throw .missing(what: "cluster", name: clusterName)
        }
        let userName = context.user ?? ""
        let user = config.users?.first { $0.name == userName }
        guard user != nil || userName.isEmpty else { throw .missing(what: "user", name: userName) }

        var configuration = try Self.resolve(cluster, clusterName)
        configuration.namespace = Self.nonEmpty(context.namespace) ?? "default"
        try Self.apply(user?.user ?? Kubeconfig.User(), userName, to: &configuration)
        return configuration
    }

    private static func nonEmpty(_ text: String?) -> String? {
        text.flatMap { $0.isEmpty ? nil : $0 }
    }
}

// MARK: - The cluster

extension KubeconfigResolver {
    private static func resolve(
        _ cluster: Kubeconfig.Cluster, _ name: String
    ) throws(ConfigurationError) -> ClientConfiguration {
        let authorities = try pem(
            data: cluster.certificateAuthorityData, file: cluster.certificateAuthority,
            "certificate-authority-data of cluster '\(name)'")
        let skipsVerification = cluster.insecureSkipTLSVerify ?? false
        guard authorities == nil || !skipsVerification else {
            throw .invalid(
                "cluster '\(name)' gives certificate authorities and insecure-skip-tls-verify: remove one of them")
        }
        let isSecureByDefault = authorities != nil || skipsVerification
        var configuration = ClientConfiguration(
            server: try ServerURL.normalized(
                cluster.server ?? "", "cluster '\(name)'", isSecureByDefault: isSecureByDefault))
        configuration.authorities = authorities
        configuration.skipsVerification = skipsVerification
        configuration.tlsServerName = nonEmpty(cluster.tlsServerName)
        configuration.disablesCompression = cluster.disableCompression ?? false
        if let proxy = nonEmpty(cluster.proxyURL) {
            guard ["http://", "https://", "socks5://"].contains(where: proxy.hasPrefix) else {
                throw .invalid("cluster '\(name)': proxy-url has to begin with http, https or socks5")
            }
            configuration.proxy = .url(proxy)
        }
        configuration.execExtension = cluster.extensions?.first { $0.name == ExecClusterExtension.name }?.extension
            .map { ExecClusterExtension(value: $0) }
        return configuration
    }

    /// Takes the text itself before the file.
    private static func pem(
        data: String?, file: String?, _ what: String
    ) throws(ConfigurationError) -> PEMSource? {
        if let data = nonEmpty(data) {
            // Go, which wrote most of these files, ignores line breaks inside base64.
            let text = data.filter { !$0.isWhitespace }
            guard let bytes = Base64.decode(text) else { throw .invalid("\(what) is not base64") }
            return .data(bytes)
        }
        return nonEmpty(file).map { .file($0) }
    }
}

// MARK: - The user

extension KubeconfigResolver {
    private static func apply(
        _ user: Kubeconfig.User, _ name: String, to configuration: inout ClientConfiguration
    ) throws(ConfigurationError) {
        configuration.certificate = try certificate(user, name)
        configuration.credential = try credential(user, name)
        configuration.impersonation = try impersonation(user, name)
    }

    private static func certificate(
        _ user: Kubeconfig.User, _ name: String
    ) throws(ConfigurationError) -> ClientCertificate? {
        let certificate = try pem(
            data: user.clientCertificateData, file: user.clientCertificate, "client-certificate-data of user '\(name)'")
        let key = try pem(data: user.clientKeyData?.value, file: user.clientKey, "client-key-data of user '\(name)'")
        switch (certificate, key) {
        case (nil, nil): return nil
        case (let certificate?, let key?): return ClientCertificate(certificate: certificate, key: key)
        case (_?, nil): throw .invalid("user '\(name)' has a client certificate without its client-key")
        case (nil, _?): throw .invalid("user '\(name)' has a client key without its client-certificate")
        }
    }

    private static func credential(
        _ user: Kubeconfig.User, _ name: String
    ) throws(ConfigurationError) -> Credential {
        let token = user.token.flatMap { $0.value.isEmpty ? nil : $0 }
        let username = nonEmpty(user.username)
        let hasPassword = username != nil || !(user.password?.value.isEmpty ?? true)
        guard token == nil || !hasPassword else {
            throw .invalid("user '\(name)' has a token and a password: remove one of them")
        }
        if user.exec != nil, user.authProvider != nil {
            throw .invalid("user '\(name)' has both exec and auth-provider: remove one of them")
        }
        // As in client-go, what is given in the file goes before what a program would give.
        if let file = nonEmpty(user.tokenFile) { return .tokenFile(file, fallback: token) }
        if let token { return .token(token) }
        if hasPassword { return .basic(username: username ?? "", password: user.password ?? SecretText("")) }
        if let exec = user.exec { return .exec(try plugin(exec, name)) }
        if let provider = user.authProvider {
            throw .invalid(
                "user '\(name)' uses the auth-provider '\(provider.name ?? "")', which Kubernetes has given up: "
                    + "use an exec plugin")
        }
        return .none
    }

    private static func plugin(
        _ exec: Kubeconfig.Exec, _ name: String
    ) throws(ConfigurationError) -> ExecPlugin {
        guard let command = nonEmpty(exec.command) else { throw .invalid("user '\(name)': exec has no command") }
        let version = exec.apiVersion ?? ""
        guard ExecPlugin.apiVersions.contains(version) else {
            let known = ExecPlugin.apiVersions.joined(separator: " or ")
            throw .invalid("user '\(name)': exec has apiVersion '\(version)', expected \(known)")
        }
        let isV1 = version == ExecPlugin.apiVersions.first
        let modeName = nonEmpty(exec.interactiveMode) ?? (isV1 ? "" : "IfAvailable")
        guard let mode = ExecPlugin.InteractiveMode(rawValue: modeName) else {
            throw .invalid("user '\(name)': exec has to set interactiveMode to Never, IfAvailable or Always")
        }
        return ExecPlugin(
            apiVersion: version,
            command: command,
            arguments: exec.args ?? [],
            environment: (exec.env ?? []).map { (name: $0.name, value: $0.value) },
            installHint: exec.installHint ?? "",
            providesClusterInfo: exec.provideClusterInfo ?? false,
            interactiveMode: mode)
    }

    private static func impersonation(
        _ user: Kubeconfig.User, _ name: String
    ) throws(ConfigurationError) -> Impersonation? {
        let groups = user.impersonatedGroups ?? []
        let extra = user.impersonatedExtra ?? [:]
        let uid = user.impersonatedUID ?? ""
        guard let impersonated = nonEmpty(user.impersonatedUser) else {
            guard groups.isEmpty, extra.isEmpty, uid.isEmpty else {
                throw .invalid("user '\(name)' sets as-uid, as-groups or as-user-extra without 'as'")
            }
            return nil
        }
        return Impersonation(user: impersonated, uid: uid, groups: groups, extra: extra)
    }
}
