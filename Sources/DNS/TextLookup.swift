import CResolv
import Glibc
import Threads

/// Looks up TXT records, by the system's resolver.
public protocol TextLookup: Sendable {
    /// Asks for the TXT records of a name.
    ///
    /// - Parameter name: The whole name; nothing is added to it.
    func texts(of name: String) async -> TextFinding
}

/// What came of a look-up.
public enum TextFinding: Sendable, Equatable {
    /// The name has these texts, each put together of its strings; none when there is no such name, or no such record.
    case texts([String])
    /// Nobody answered, or nothing that can be read: whether there are records is not known.
    case unknown
}

/// The system's resolver: the servers of `/etc/resolv.conf`, in turn, UDP first and TCP where an answer is long.
///
/// What it says is as true as what those servers say: it does not check signatures (DNSSEC).
public struct SystemTextLookup: TextLookup {
    /// A server to ask instead of those configured.
    struct Server: Sendable {
        /// An IPv4 address.
        let address: String
        let port: UInt16
    }

    /// How long one server has for its answer.
    static let timeout = 2
    /// How often each server is asked.
    static let tries = 2
    private static let answerBytesMaximum = 64 << 10

    private let server: Server?
    /// In seconds.
    private let timeout: Int

    /// Asks the servers that the system is configured with.
    public init() {
        server = nil
        timeout = Self.timeout
    }

    /// Asks one server, which has so many seconds for its first answer.
    init(server: Server, timeout: Int = Self.timeout) {
        self.server = server
        self.timeout = timeout
    }

    /// Asks on a thread of its own; ends after a few seconds, also when nobody answers.
    public func texts(of name: String) async -> TextFinding {
        let server = server
        let timeout = timeout
        return await withCheckedContinuation { continuation in
            let code = DetachedThread.start { continuation.resume(returning: Self.ask(name, server, timeout)) }
            if code != 0 { continuation.resume(returning: .unknown) }
        }
    }

    /// Blocks until there is an answer, or nobody gave one in time.
    private static func ask(_ name: String, _ server: Server?, _ timeout: Int) -> TextFinding {
        guard !name.utf8.contains(0) else { return .unknown }
        var answer = [UInt8](repeating: 0, count: answerBytesMaximum)
        let length = resolv_txt(
            name, server.map { inet_addr($0.address) } ?? 0, server?.port ?? 0, Int32(timeout), Int32(tries), &answer,
            Int32(answer.count))
        switch length {
        case -HOST_NOT_FOUND, -NO_DATA: return .texts([])
        case ..<0: return .unknown
        default:
            do throws(TextAnswer.Malformed) {
                return .texts(try TextAnswer(Array(answer.prefix(Int(length))), name: name).texts)
            } catch {
                return .unknown
            }
        }
    }
}
