import Commands

/// The file of `--ca`: whom to trust where the system's certificate authorities do not know a server.
enum CertificateAuthorities {
    /// The option that names it.
    static let option = CommandDescription.Option(
        "ca", value: "FILE", completion: .file,
        "trust these certificate authorities (PEM), not the system's")

    /// Hundreds of authorities: the system's own bundle has some 220 KB.
    private static let bytesMaximum = 2 << 20
    private static let mark = "-----BEGIN CERTIFICATE-----"

    /// Reads the file that was named; nil where none was.
    ///
    /// - Throws: `UsageError` for what holds no certificate, `CommandFailure` for what cannot be read.
    static func read(_ options: Options) async throws -> String? {
        guard let path = options["ca"] else { return nil }
        guard let bytes = try await SmallFile.read(path, bytesMaximum: bytesMaximum) else {
            throw CommandFailure(.notFound, "--ca: there is no file \(TerminalText.line(path))")
        }
        guard let text = String(validating: bytes, as: UTF8.self), text.contains(mark) else {
            throw UsageError("--ca: \(TerminalText.line(path)) holds no certificate in PEM (\(mark))")
        }
        return text
    }
}
