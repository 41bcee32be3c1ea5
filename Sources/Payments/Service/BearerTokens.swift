import Cryptography
import Synchronization
import Telemetry

/// The tokens that open the internal service: lines of a mounted file, two of them while one replaces the other.
final class BearerTokens: Sendable {
    /// Shorter ones could be guessed.
    static let bytesMinimum = 16
    private let path: String
    private let tokens: Mutex<[[UInt8]]>
    private let logger = Logger(label: "payments")

    /// Reads the file.
    ///
    /// - Throws: ``PaymentsError`` when it cannot be read or holds no token.
    init(path: String) throws(PaymentsError) {
        self.path = path
        tokens = Mutex(try Self.read(path))
    }

    /// Reads the file anew; what was known stays when that does not work.
    func reload() {
        do {
            let read = try Self.read(path)
            tokens.withLock { $0 = read }
        } catch {
            logger.warning("The tokens cannot be read; the old ones count", ["error": error])
        }
    }

    /// Whether the field `Authorization` carries one of the tokens; takes the same time for each of the same length.
    func admit(_ field: String?) -> Bool {
        guard let field, field.prefix(7).lowercased() == "bearer " else { return false }
        let given = Array(field.dropFirst(7).utf8)
        return tokens.withLock { $0 }.reduce(false) { constantTimeEquals(given, $1) || $0 }
    }

    private static func read(_ path: String) throws(PaymentsError) -> [[UInt8]] {
        let tokens = try SecretLines.read(path).map { Array($0.utf8) }
        guard !tokens.isEmpty, tokens.allSatisfy({ $0.count >= bytesMinimum }) else {
            throw PaymentsError("\(path) must hold a token of at least \(bytesMinimum) characters in each line")
        }
        return tokens
    }
}
