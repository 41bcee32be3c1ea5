import Cryptography

/// Makes the `git` commands of one repository, all equally confined.
///
/// Nothing of the machine's or the user's configuration is read, no prompt appears, only http and https can be spoken,
/// redirects are not followed, hooks and submodules do not exist, and the password is in the environment, where other
/// users cannot see it, never in the arguments.
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
            "GIT_ALLOW_PROTOCOL": configuration.allowsPlainHTTP ? "https:http" : "https",
        ]
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
            ("protocol.https.allow", "always"),
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
        if configuration.allowsPlainHTTP { settings.append(("protocol.http.allow", "always")) }
        if let path = configuration.certificatesPath { settings.append(("http.sslCAInfo", path)) }
        if !addresses.isEmpty {
            let host = url.host.hasPrefix("[") ? String(url.host.dropFirst().dropLast()) : url.host
            let list = addresses.map { $0.contains(":") ? "[\($0)]" : $0 }.joined(separator: ",")
            settings.append(("http.curloptResolve", "\(host):\(url.effectivePort):\(list)"))
        }
        if let credentials {
            let value = Base64.encode(Array((credentials.username + ":" + credentials.password).utf8), .standard)
            settings.append(("http.\(url.origin)/.extraHeader", "Authorization: Basic \(value)"))
        }
        return settings
    }
}
