import JSON
import Timing

/// What passes between us and a credential plugin.
///
/// Source: Kubernetes documentation, "client-go credential plugins", input and output formats.
struct ExecCredential: Sendable {
    /// The token, if the plugin handed one out.
    var token: SecretText?
    /// The certificate and key, if the plugin handed them out.
    var identity: PEMIdentity?
    /// When the credential ends; `nil` lets it last until the server refuses it.
    var expiration: Timestamp?

    /// Reads what a plugin printed.
    ///
    /// - Parameters:
    ///   - output: Its standard output.
    ///   - apiVersion: The version it was asked for.
    /// - Throws: ``KubernetesError/configuration(_:)``; the output itself is never part of the message.
    init(output: [UInt8], apiVersion: String) throws {
        let answer: Answer
        do {
            answer = try JSONReader(limits: .init(bytesMaximum: ExecProcess.outputBytesMaximum))
                .decode(Answer.self, from: output)
        } catch {
            throw KubernetesError.configuration("the credential plugin did not print an ExecCredential: \(error)")
        }
        guard answer.apiVersion == apiVersion, answer.kind == "ExecCredential" else {
            throw KubernetesError.configuration(
                "the credential plugin answered with \(answer.apiVersion ?? "no apiVersion") "
                    + "\(answer.kind ?? "without kind"), expected \(apiVersion) ExecCredential")
        }
        guard let status = answer.status else {
            throw KubernetesError.configuration("the credential plugin's answer has no status")
        }
        token = status.token.flatMap { $0.value.isEmpty ? nil : $0 }
        switch (status.clientCertificateData ?? "", status.clientKeyData?.value ?? "") {
        case ("", ""): break
        case ("", _), (_, ""):
            throw KubernetesError.configuration(
                "the credential plugin has to give clientCertificateData and clientKeyData together")
        case (let certificate, let key):
            identity = PEMIdentity(certificate: Array(certificate.utf8), key: Array(key.utf8))
        }
        guard token != nil || identity != nil else {
            throw KubernetesError.configuration("the credential plugin gave neither a token nor a certificate")
        }
        expiration = status.expirationTimestamp
    }

    private struct Answer: Codable {
        var apiVersion: String?
        var kind: String?
        var status: Status?

        struct Status: Codable {
            var token: SecretText?
            var clientCertificateData: String?
            var clientKeyData: SecretText?
            var expirationTimestamp: Timestamp?
        }
    }

    /// Returns the value of `KUBERNETES_EXEC_INFO`.
    ///
    /// - Parameters:
    ///   - plugin: The plugin that is run.
    ///   - isInteractive: Whether it may use standard input.
    ///   - cluster: What it may know about the cluster.
    static func input(_ plugin: ExecPlugin, isInteractive: Bool, cluster: JSONValue) -> String {
        var info: JSONValue = [
            "apiVersion": .string(plugin.apiVersion), "kind": "ExecCredential",
            "spec": ["interactive": .bool(isInteractive)],
        ]
        if plugin.providesClusterInfo { info[path: "spec", "cluster"] = cluster }
        return JSONWriter().string(info)
    }
}
