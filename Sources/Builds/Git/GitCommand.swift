import CRDs
import Cryptography

/// Makes the `git` commands of one repository, all equally confined.
///
/// Nothing of the machine's or the user's configuration is read, no prompt appears, only the address's own scheme can be
/// spoken, redirects are not followed, hooks and submodules do not exist, and the password is in the environment, where
/// other users cannot see it, never in the arguments. What SSH needs is in ``SecureShell``.
struct GitCommand: Sendable {
    let configuration: GitConfiguration
    let url: GitURL
    let credentials: GitCredentials?
    /// The addresses that the host was resolved to and that were found fit; Git connects to these and no others.
    let addresses: [String]

    /// Returns the command, ready to run.
    ///
    /// - Parameters:
    ///   - arguments: What follows `git`.
    ///   - folder: Where it runs; also its home.
    ///   - timeout: When it is killed.
    func child(_ arguments: [String], in folder: String, timeout: Duration) -> ChildProcess {
        var child = ChildProcess(
            program: configuration.program, arguments: arguments, environment: environment(home: folder),
            workingDirectory: folder, timeout: timeout)
        child.fileBytesMaximum = UInt64(configuration.receivedBytesMaximum)
        return child
    }

    /// Puts into the folder what the commands need to talk to the server.
    ///
    /// - Throws: ``BuildFailure`` when the credentials are of another kind than the address.
    func prepare(in folder: String) throws {
        switch (url.scheme, credentials) {
        case ("ssh", .ssh): try secureShell?.prepare(in: folder)
        case ("ssh", _):
            throw BuildFailure(
                .credentialsMissing,
                "\(url) is spoken to over SSH: name a Secret with the keys ssh-privatekey and known_hosts in "
                    + "spec.credentialsSecret")
        case (_, .ssh):
            throw BuildFailure(
                .credentialsMissing,
                "\(url) takes no SSH key: put a token into the Secret, or write spec.url as git@host:owner/repository")
        default: break
        }
    }

    private var secureShell: SecureShell? {
        guard case .ssh(let privateKey, let knownHosts) = credentials else { return nil }
        return SecureShell(
            configuration: configuration, url: url, privateKey: privateKey, knownHosts: knownHosts,
            addresses: addresses)
    }

    private func environment(home: String) -> [String: String] {
        var environment = [
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": home,
            "TMPDIR": home,
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_SYSTEM": "/dev/null",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "/bin/false",
            "GIT_PROTOCOL_FROM_USER": "0",
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_CEILING_DIRECTORIES": home,
            "GIT_ALLOW_PROTOCOL": url.scheme,
        ]
        if url.scheme == "ssh", let secureShell {
            environment["GIT_SSH_COMMAND"] = secureShell.command(in: home)
            environment["GIT_SSH_VARIANT"] = "ssh"
        }
        let settings = settings()
        environment["GIT_CONFIG_COUNT"] = String(settings.count)
        for (index, setting) in settings.enumerated() {
            environment["GIT_CONFIG_KEY_\(index)"] = setting.key
            environment["GIT_CONFIG_VALUE_\(index)"] = setting.value
        }
        return environment
    }

    private func settings() -> [(key: String, value: String)] {
        var settings = [
            ("protocol.allow", "never"),
            ("protocol.\(url.scheme).allow", "always"),
            ("protocol.file.allow", "never"),
            ("http.followRedirects", "false"),
            ("http.lowSpeedLimit", "1000"),
            ("http.lowSpeedTime", String(configuration.stallTimeout.components.seconds)),
            ("http.userAgent", "farebox (git)"),
            ("http.proxy", ""),
            ("credential.helper", ""),
            ("core.hooksPath", "/dev/null"),
            ("core.fsmonitor", "false"),
            ("fetch.recurseSubmodules", "false"),
            ("submodule.recurse", "false"),
            ("gc.auto", "0"),
            ("maintenance.auto", "false"),
            // Received objects stay one pack: one file to limit, none to unpack.
            ("fetch.unpackLimit", "1"),
            ("pack.threads", "1"),
            // Larger blobs are streamed instead of held in memory.
            ("core.bigFileThreshold", "8m"),
        ]
        if let path = configuration.certificatesPath { settings.append(("http.sslCAInfo", path)) }
        if !addresses.isEmpty {
            let list = addresses.map { $0.contains(":") ? "[\($0)]" : $0 }.joined(separator: ",")
            settings.append(("http.curloptResolve", "\(url.bareHost):\(url.effectivePort):\(list)"))
        }
        if case .basic(let username, let password) = credentials {
            let value = Base64.encode(Array((username + ":" + password).utf8), .standard)
            settings.append(("http.\(url.origin)/.extraHeader", "Authorization: Basic \(value)"))
        }
        return settings
    }
}
