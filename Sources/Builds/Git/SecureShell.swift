import CRDs

/// What `git` needs to speak SSH: a configuration of our own, and the credentials as files in the work's folder.
///
/// The `ssh` program reads nothing else: no configuration of the machine or the user, no agent, no other key. It connects
/// to the address that was judged and found fit, demands a known host key, and opens no tunnel. The private key lies
/// in the folder, which only we can read, until ``removeKey(in:)``.
struct SecureShell: Sendable {
    let configuration: GitConfiguration
    let url: GitURL
    let privateKey: String
    let knownHosts: String
    /// The judged addresses of the host; the first is used.
    let addresses: [String]

    private static let configurationName = "farebox_ssh_config"
    private static let keyName = "farebox_ssh_key"
    private static let knownHostsName = "farebox_known_hosts"

    /// A connection that is silent for so many questions in a row is given up.
    private static let silentQuestionsMaximum = 2

    /// Writes the files.
    func prepare(in folder: String) throws {
        // Secrets made from a text box have other line ends, and the last one is easily lost.
        let key = privateKey.split(whereSeparator: \.isNewline).joined(separator: "\n") + "\n"
        let hosts = [knownHosts, configuration.knownHosts].flatMap { $0.split(whereSeparator: \.isNewline) }
        try ScratchFolder.write(Array(key.utf8), to: folder + "/" + Self.keyName)
        try ScratchFolder.write(
            Array((hosts.joined(separator: "\n") + "\n").utf8), to: folder + "/" + Self.knownHostsName)
        try ScratchFolder.write(Array(settings(folder).utf8), to: folder + "/" + Self.configurationName)
    }

    /// Removes the private key: the rest of the work talks to nobody.
    static func removeKey(in folder: String) { ScratchFolder.removeFile(folder + "/" + keyName) }

    /// The command line for `GIT_SSH_COMMAND`, which a shell takes apart.
    func command(in folder: String) -> String {
        Self.quoted(configuration.sshProgram) + " -F " + Self.quoted(folder + "/" + Self.configurationName)
    }

    private func settings(_ folder: String) -> String {
        let seconds = max(1, configuration.stallTimeout.components.seconds)
        // How `known_hosts` names a host with a port of its own.
        let alias = url.port.map { "[\(url.bareHost)]:\($0)" } ?? url.bareHost
        var lines = [
            "BatchMode yes", "IdentitiesOnly yes", "IdentityAgent none", "CertificateFile none",
            "IdentityFile " + Self.path(folder + "/" + Self.keyName),
            "UserKnownHostsFile " + Self.path(folder + "/" + Self.knownHostsName), "GlobalKnownHostsFile /dev/null",
            "StrictHostKeyChecking yes", "UpdateHostKeys no", "VerifyHostKeyDNS no", "CheckHostIP no",
            "HostKeyAlias \(alias)", "CanonicalizeHostname no", "PreferredAuthentications publickey",
            "PasswordAuthentication no", "KbdInteractiveAuthentication no", "GSSAPIAuthentication no",
            "HostbasedAuthentication no", "AddKeysToAgent no", "ForwardAgent no", "ForwardX11 no",
            "ClearAllForwardings yes", "PermitLocalCommand no", "ProxyCommand none", "ControlMaster no",
            "ControlPath none", "RequestTTY no", "EscapeChar none", "Compression no", "LogLevel ERROR",
            "ConnectTimeout \(seconds)", "ConnectionAttempts 1", "ServerAliveInterval \(max(1, seconds / 2))",
            "ServerAliveCountMax \(Self.silentQuestionsMaximum)",
        ]
        if let address = addresses.first { lines.append("HostName \(address)") }
        return "Host *\n" + lines.map { "    " + $0 + "\n" }.joined()
    }

    /// A path in ssh's configuration: in quotes, and with `%` standing for itself.
    private static func path(_ text: String) -> String {
        "\"" + text.flatMap { $0 == "%" ? "%%" : String($0) } + "\""
    }

    /// A word for a shell.
    private static func quoted(_ text: String) -> String {
        "'" + text.flatMap { $0 == "'" ? "'\\''" : String($0) } + "'"
    }
}
