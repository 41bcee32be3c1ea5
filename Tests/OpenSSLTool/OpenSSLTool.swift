import Glibc

/// The `openssl` program, as an oracle that shares no code of ours.
public struct OpenSSLProgram: Sendable {
    /// What did not work.
    public struct Failure: Error {
        let what: String
    }

    /// A folder of its own, there as long as ``with(_:)`` runs.
    private let folder: String

    /// Runs `body` with a folder for its files.
    public static func with<R>(_ body: (OpenSSLProgram) throws -> R) throws -> R {
        // mkdtemp makes a folder that nobody else can name or read; it goes when the body has run.
        var template = Array("/tmp/farebox-openssl-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(what: "mkdtemp: \(errno)") }
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let tool = OpenSSLProgram(folder: folder)
        defer { try? tool.run("/bin/rm", ["-rf", folder]) }
        return try body(tool)
    }

    /// Runs the program; it must end with 0.
    public func callAsFunction(_ arguments: String...) throws { try run("/usr/bin/openssl", arguments) }

    /// The path of a file in the folder.
    public func path(_ name: String) -> String { folder + "/" + name }

    /// The bytes of a file in the folder.
    public func read(_ name: String) throws -> [UInt8] {
        guard let file = fopen(path(name), "r") else { throw Failure(what: "no file \(name)") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return bytes
    }

    /// Writes a file into the folder.
    public func write(_ bytes: [UInt8], _ name: String) throws {
        guard let file = fopen(path(name), "w") else { throw Failure(what: "cannot write \(name)") }
        defer { fclose(file) }
        fwrite(bytes, 1, bytes.count, file)
    }

    /// Makes an RSA key: `key.pem` (PKCS#8), `traditional.pem` (PKCS#1) and `public.pem`.
    public func makeRSAKey(bits: Int = 2048) throws {
        try self("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:\(bits)", "-out", path("key.pem"))
        try self("rsa", "-in", path("key.pem"), "-traditional", "-out", path("traditional.pem"))
        try self("rsa", "-in", path("key.pem"), "-pubout", "-out", path("public.pem"))
    }

    /// Makes a self-signed certificate and its key of P-256, and returns both in PEM.
    ///
    /// - Parameters:
    ///   - names: Its alternative names as OpenSSL writes them: `DNS:a.example.com`, `IP:127.0.0.1`.
    ///   - days: How long it lasts.
    ///   - keyArguments: Another kind of key, as `openssl req` wants it.
    public func certificate(
        for names: [String], days: Int = 2,
        keyArguments: [String] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    ) throws -> (certificate: [UInt8], key: [UInt8]) {
        try run(
            "/usr/bin/openssl",
            ["req", "-x509", "-nodes", "-days", "\(days)", "-subj", "/CN=test"] + keyArguments
                + ["-keyout", path("server.key"), "-out", path("server.crt")]
                + (names.isEmpty ? [] : ["-addext", "subjectAltName=" + names.joined(separator: ",")]))
        return (try read("server.crt"), try read("server.key"))
    }

    private func run(_ program: String, _ arguments: [String]) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor: Int32 in 0...2 {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        var argv: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
        defer { argv.forEach { free($0) } }
        var process = pid_t()
        guard posix_spawn(&process, program, &actions, nil, &argv, environ) == 0 else {
            throw Failure(what: "cannot start \(program)")
        }
        var status: Int32 = 0
        guard waitpid(process, &status, 0) == process, status == 0 else {
            throw Failure(what: "\(program) \(arguments.first ?? "") ended with \(status)")
        }
    }
}
