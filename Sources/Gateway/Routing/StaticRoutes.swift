import CRDs
import Glibc
import HTTP
import KubernetesTypes
import Timing
import YAML

/// Routes from a file instead of a cluster: to try the gateway, to measure it, or to put it before servers of one's own.
///
/// ```yaml
/// routes:
///   - name: hello
///     owner: alice              # optional: reachable at alice.<root>/hello too
///     endpoints: ["127.0.0.1:9000"]
///     domains: [shop.example.com] # optional: reachable at these hosts too
///     timeout: 30s              # optional
///     maxInflight: 100          # optional
///     maxInflightPerReplica: 10 # optional
///     price: {amount: 10, assetCode: USD, assetScale: 9, calls: 1000}   # optional: calls have to be paid for
/// ```
public struct StaticRoutes: Decodable, Sendable {
    /// One function.
    struct Entry: Decodable, Sendable {
        var name: String
        var namespace: String?
        var owner: String?
        var function: String?
        var domains: [String]?
        var endpoints: [String]
        var timeout: String?
        var maxInflight: Int?
        var maxInflightPerReplica: Int?
        var price: FunctionPrice?
    }

    /// What is wrong with an entry, in words for whoever wrote it.
    public struct Invalid: Error, CustomStringConvertible {
        /// The whole message.
        public let description: String
    }

    let routes: [Entry]

    /// Reads a file's bytes.
    ///
    /// - Throws: `YAMLError` with line and column; `Invalid` for an address or duration that is none.
    public init(_ bytes: [UInt8]) throws {
        self = try YAMLReader(unknownKeys: .refuse).decode(StaticRoutes.self, from: bytes)
        for entry in routes {
            _ = try entry.addresses()
            _ = try entry.duration()
        }
    }

    /// Reads a file.
    ///
    /// - Throws: What `init(_:)` throws; `Invalid` for a file that cannot be read.
    public init(file path: String) throws {
        guard let file = fopen(path, "r") else {
            throw Invalid(description: "\(path): \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
            bytes.append(contentsOf: buffer[..<count])
        }
        try self.init(bytes)
    }

    /// Puts the routes on a board.
    func install(into source: RouteSource, defaultNamespace: String) throws {
        for entry in routes {
            let key = ObjectKey(namespace: entry.namespace ?? defaultNamespace, name: entry.name)
            source.setSlice(
                "static", of: key,
                try entry.addresses().map { RouteSource.SliceAddress(address: $0, isEnding: false) })
            source.put(
                FunctionRecord(
                    key: key,
                    ownerName: entry.owner.map {
                        FunctionRecord.OwnedName(owner: $0.lowercased(), function: entry.function ?? entry.name)
                    },
                    domains: entry.domains?.map { $0.lowercased() } ?? [], timeout: try entry.duration(),
                    inFlightMaximum: entry.maxInflight.map { max(1, $0) },
                    inFlightPerEndpoint: entry.maxInflightPerReplica.map { max(1, $0) },
                    admission: entry.price.map { .paid($0) } ?? .open))
        }
    }
}

extension StaticRoutes.Entry {
    /// The numeric addresses, as in `10.0.0.7:8080` or `[fd00::7]:8080`.
    func addresses() throws -> [SocketAddress] {
        try endpoints.map { text in
            guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]),
                let address = SocketAddress(host: Self.unbracketed(text[..<colon]), port: port)
            else {
                throw StaticRoutes.Invalid(
                    description: "Route \(name): '\(text)' is not a numeric address with a port, like 127.0.0.1:8080.")
            }
            return address
        }
    }

    func duration() throws -> Duration? {
        guard let timeout else { return nil }
        guard let duration = Duration(goStyle: timeout) else {
            throw StaticRoutes.Invalid(description: "Route \(name): '\(timeout)' is not a duration, like 30s.")
        }
        return duration
    }

    private static func unbracketed(_ text: Substring) -> String {
        text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : String(text)
    }
}
