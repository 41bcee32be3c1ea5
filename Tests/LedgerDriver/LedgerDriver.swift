import Glibc
import Payments

/// A process that works on a ledger until it is done or killed: for tests that kill it, and for `hack/bench payments`.
@main
struct LedgerDriver {
    static func main() async {
        do {
            var options = try DriverOptions(Array(CommandLine.arguments.dropFirst()))
            switch options.mode {
            case "hammer": try await Hammer(&options).run()
            case "bench": try await CreditBench(&options).run()
            case "redis": try RedisBench(&options).run()
            default: throw DriverError("the mode is hammer, bench or redis")
            }
        } catch {
            Line.print("driver: \(error)", to: 2)
            exit(1)
        }
    }
}

/// Why the driver gives up.
struct DriverError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// `MODE name=value…`.
struct DriverOptions {
    let mode: String
    private let values: [String: String]

    init(_ words: [String]) throws {
        guard let mode = words.first else { throw DriverError("a mode is missing") }
        self.mode = mode
        let pairs = words.dropFirst().map { word -> (String, String) in
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            return (parts[0], parts.count == 2 ? parts[1] : "")
        }
        values = Dictionary(pairs, uniquingKeysWith: { _, last in last })
    }

    func text(_ name: String) -> String? { values[name] }

    func number(_ name: String, default number: Int) throws -> Int {
        guard let text = values[name] else { return number }
        guard let parsed = Int(text), parsed >= 0 else { throw DriverError("\(name) is a number") }
        return parsed
    }

    /// Where the ledger is: `sqlite=PATH`, or `postgres=CONNECTION` and `schema=NAME`.
    var ledger: LedgerConfiguration {
        LedgerConfiguration(
            sqlite: values["sqlite"],
            postgres: values["postgres"].map { .init(connection: $0, schema: values["schema"] ?? "farebox") })
    }
}

/// Lines that are written whole or not at all, even by a process that is killed.
enum Line {
    static func print(_ text: String, to descriptor: Int32 = 1) {
        let line = text + "\n"
        _ = line.withCString { write(descriptor, $0, strlen($0)) }
    }
}
