import Glibc
import JSON
import Timing

/// A program of this machine that keeps passwords of registries: `docker-credential-<name>`, called with `get`.
///
/// The registry goes to its standard input; the answer is JSON with `Username` and `Secret`. Source: the protocol of Docker's
/// credential helpers.
public struct CredentialHelper: Sendable {
    /// What follows `docker-credential-`.
    public let name: String
    private let program: String
    private let environment: [String: String]

    /// A keychain that asks a person for a password needs that person's time; a broken one is not waited for any longer.
    static let timeout = Duration.seconds(60)
    private static let answerBytesMaximum = 64 << 10
    /// The user that stands for an identity token.
    private static let tokenUser = "<token>"

    /// Finds the program.
    ///
    /// - Parameters:
    ///   - search: Folders with colons between, as the variable `PATH` has them.
    ///   - environment: What the program gets: keychains need the session's variables.
    /// - Throws: ``CredentialHelperError``.
    public init(_ name: String, search: String, environment: [String: String]) throws(CredentialHelperError) {
        let isName = name.utf8.allSatisfy { ASCII.isAlphanumeric($0) || "-_.".utf8.contains($0) }
        guard isName, (1...100).contains(name.utf8.count) else { throw .noName(name) }
        guard let program = Executable.find("docker-credential-" + name, search: search) else { throw .missing(name) }
        self.name = name
        self.program = program
        self.environment = environment
    }

    /// Asks for a registry's login; nil when the helper has none.
    ///
    /// - Parameter registry: As Docker's file writes it, at most 1024 bytes.
    /// - Throws: ``CredentialHelperError``, `CancellationError`.
    public func login(for registry: String) async throws -> RegistryCredentials.Login? {
        try await login(for: registry, timeout: Self.timeout)
    }

    func login(for registry: String, timeout: Duration) async throws -> RegistryCredentials.Login? {
        guard registry.utf8.count <= Self.registryBytesMaximum else { throw CredentialHelperError.strange(name) }
        var child = ChildProcess(
            program: program, arguments: ["get"], environment: environment, workingDirectory: "/", timeout: timeout)
        child.input = Array((registry + "\n").utf8)
        child.outputBytesMaximum = Self.answerBytesMaximum
        let result: ChildProcess.Result
        do {
            result = try await child.run()
        } catch let error as ChildProcessError {
            switch error {
            case .timedOut: throw CredentialHelperError.slow(name)
            case .tooMuchOutput: throw CredentialHelperError.strange(name)
            case .cannotStart(_, let code):
                throw CredentialHelperError.failed(name, "it cannot be started: " + String(cString: strerror(code)))
            case .stopped(let reason): throw CredentialHelperError.failed(name, reason)
            }
        }
        guard result.status == 0 else {
            // The helpers of Docker say so on standard output.
            let said = String(decoding: result.output.prefix(300), as: UTF8.self) + " " + result.errors.prefix(300)
            if said.contains("credentials not found") { return nil }
            let line = said.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            throw CredentialHelperError.failed(name, line)
        }
        guard let answer = try? JSONReader().parse(result.output), let user = answer["Username"]?.stringValue,
            let secret = answer["Secret"]?.stringValue, !secret.isEmpty
        else { throw CredentialHelperError.strange(name) }
        return user == Self.tokenUser
            ? RegistryCredentials.Login(username: "", password: "", identityToken: secret)
            : RegistryCredentials.Login(username: user, password: secret)
    }

    private static let registryBytesMaximum = 1024
}

/// Why a credential helper gave nothing; never what it gave.
public enum CredentialHelperError: Error, Equatable, CustomStringConvertible {
    /// A name that no program can have.
    case noName(String)
    /// There is no such program.
    case missing(String)
    /// It did not answer in time.
    case slow(String)
    /// It ended with an error; its words.
    case failed(String, String)
    /// Its answer is none.
    case strange(String)

    /// One sentence.
    public var description: String {
        switch self {
        case .noName(let name): "'\(name.prefix(100))' is no name of a credential helper"
        case .missing(let name): "the credential helper docker-credential-\(name) is not on this machine's PATH"
        case .slow(let name):
            "the credential helper docker-credential-\(name) did not answer within \(CredentialHelper.timeout.goStyle)"
        case .failed(let name, let words):
            "the credential helper docker-credential-\(name) failed: \(words.prefix(300))"
        case .strange(let name): "the credential helper docker-credential-\(name) answers something else than a login"
        }
    }
}
