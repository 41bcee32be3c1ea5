import FoundationEssentials
import HTTP
import Telemetry

/// Where the list of customers comes from.
protocol CustomerSource: Sendable {
    /// The list as it is now, or as it was some minutes ago.
    ///
    /// - Throws: ``CustomerSourceError`` when nobody knows who is on it: then nobody is let in.
    func list() async throws(CustomerSourceError) -> CustomerList
}

/// Why the list of customers cannot be read.
struct CustomerSourceError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// One place that a list of customers is read from, without any memory.
enum CustomerPlace: Hashable, Sendable {
    /// A file, as a mounted ConfigMap or Secret; a file that is not there is a list nobody filled yet.
    case file(String)
    /// A page of the web in plain text.
    case url(String)

    /// A file changes by the kubelet, which takes a minute anyway.
    var lifetime: Duration {
        switch self {
        case .file: .seconds(5)
        case .url: .seconds(300)
        }
    }

    /// How long a page may take.
    static let timeout: Duration = .seconds(10)

    /// Reads the list.
    ///
    /// - Parameter timeout: How long a page may take.
    /// - Throws: ``CustomerSourceError`` when there is no answer, none with a status from 200 to 299, one that is not plain
    ///   text, or one that is no list.
    func read(
        _ client: HTTPClient, timeout: Duration = CustomerPlace.timeout
    ) async throws(CustomerSourceError) -> CustomerList {
        switch self {
        case .file(let path):
            guard let data = try? Data(contentsOf: URL(filePath: path)) else { return .closed }
            return try Self.list(Array(data), place: path)
        case .url(let url):
            return try Self.list(try await Self.fetch(url, client, timeout), place: url)
        }
    }

    private static func fetch(
        _ url: String, _ client: HTTPClient, _ timeout: Duration
    ) async throws(CustomerSourceError) -> [UInt8] {
        let response: HTTPClientResponse
        do {
            response = try await client.send(
                HTTPClientRequest(url: url, timeout: timeout, responseBytesMaximum: CustomerList.bytesMaximum))
        } catch {
            throw CustomerSourceError("the list of customers cannot be fetched: \(error)")
        }
        guard response.status.isSuccess else {
            throw CustomerSourceError("the list of customers is answered with \(response.status)")
        }
        let type = response.headers["Content-Type"]?.lowercased() ?? ""
        guard type.hasPrefix("text/plain") else {
            throw CustomerSourceError("the list of customers is not text/plain but '\(type.prefix(60))'")
        }
        return response.body
    }

    private static func list(_ bytes: [UInt8], place: String) throws(CustomerSourceError) -> CustomerList {
        do throws(CustomerList.Refusal) {
            return try CustomerList(bytes)
        } catch {
            throw CustomerSourceError("\(place): \(error)")
        }
    }
}

/// Remembers the list of customers for a while, and reads it once however many ask at the same time.
///
/// When the list cannot be read once it is old, nobody is let in: a customer who was struck off must not stay in because
/// the list's server is away. Such a fault is remembered for some seconds, so that deliveries do not pile up behind it.
actor RememberedCustomers: CustomerSource {
    static let faultLifetime: Duration = .seconds(5)

    private let lifetime: Duration
    private let read: @Sendable () async throws(CustomerSourceError) -> CustomerList
    private let now: @Sendable () -> ContinuousClock.Instant
    private let logger: Logger
    private var known: (result: Result<CustomerList, CustomerSourceError>, until: ContinuousClock.Instant)?
    private var reading: Task<Result<CustomerList, CustomerSourceError>, Never>?

    init(
        lifetime: Duration, logger: Logger, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        read: @escaping @Sendable () async throws(CustomerSourceError) -> CustomerList
    ) {
        self.lifetime = lifetime
        self.read = read
        self.now = now
        self.logger = logger
    }

    func list() async throws(CustomerSourceError) -> CustomerList {
        if let known, now() < known.until { return try known.result.get() }
        if let reading { return try await reading.value.get() }
        // Not a child of this caller: it may leave while others wait for the same list.
        let task = Task { [read] in
            do throws(CustomerSourceError) {
                return Result<CustomerList, CustomerSourceError>.success(try await read())
            } catch {
                return .failure(error)
            }
        }
        reading = task
        let result = await task.value
        reading = nil
        remember(result)
        return try result.get()
    }

    private func remember(_ result: Result<CustomerList, CustomerSourceError>) {
        let before = try? known?.result.get()
        switch result {
        case .success(let list):
            known = (result, now() + lifetime)
            guard list != before else { return }
            logger.info("list of customers read", ["names": list.count, "open": list.isOpen])
            for pair in list.confusable.prefix(20) {
                logger.warning(
                    "two customers can want the same function name; the first to deploy keeps it",
                    ["customer": pair.shorter, "other": pair.longer])
            }
        case .failure(let error):
            known = (result, now() + Self.faultLifetime)
            logger.error("nobody is let in: the list of customers cannot be read", ["error": "\(error)"])
        }
    }
}
