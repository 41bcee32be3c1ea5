import DNS
import Synchronization

/// The records of a test.
final class StubLookup: TextLookup {
    private let records = Mutex<[String: TextFinding]>([:])
    private let asked = Mutex<[String]>([])

    /// The names that were asked for, in order.
    var names: [String] { asked.withLock { $0 } }

    func set(_ name: String, _ finding: TextFinding) { records.withLock { $0[name] = finding } }

    func texts(of name: String) async -> TextFinding {
        asked.withLock { $0.append(name) }
        return records.withLock { $0[name] ?? .texts([]) }
    }
}
