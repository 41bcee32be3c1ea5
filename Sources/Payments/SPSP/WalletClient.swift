import HTTP
import Telemetry

/// Asks wallets, whose addresses tenants choose: the one way out of this process that somebody else can steer.
///
/// Only https (unless told otherwise for trials), only addresses of the public Internet, judged after the name was resolved
/// and again at each redirect, little time, small answers. Of what is refused, nothing is sent, and the log says so.
struct WalletClient: Sendable {
    private let client: HTTPClient
    private let configuration: WalletConfiguration
    private let logger: Logger

    /// Makes a client.
    ///
    /// - Parameters:
    ///   - configuration: It must be valid.
    ///   - authorities: Certificates in PEM to trust in the place of the system's.
    ///   - logger: Hears of what is refused.
    init(
        configuration: WalletConfiguration, authorities: [UInt8]? = nil, logger: Logger = Logger(label: "wallets")
    ) {
        self.configuration = configuration
        self.logger = logger
        client = HTTPClient(
            configuration: HTTPClientConfiguration(
                tls: TLSIdentity(authorities: authorities), proxy: .none, addresses: configuration.addressPolicy,
                connectTimeout: Self.connectTimeout,
                // Each query has a connection of its own, so that a slow answer never holds the next one up.
                connectionsPerHostMaximum: Self.connectionsPerHostMaximum))
    }

    /// Connections to one wallet; further queries wait for one within their time.
    ///
    /// As many as the queries to one wallet that are let in unless configured otherwise.
    static let connectionsPerHostMaximum = 32
    private static let connectTimeout = Duration.seconds(5)
    /// A wallet's answer has some hundred bytes.
    static let responseBytesMaximum = 64 << 10
    static let redirectsMaximum = 3

    /// Asks a wallet and follows where it points.
    ///
    /// - Parameters:
    ///   - pointer: Whom to ask.
    ///   - headers: The header fields; they go to each hop.
    /// - Returns: The wallet's answer, whatever its status.
    /// - Throws: ``WalletError``; `CancellationError`.
    func query(_ pointer: PaymentPointer, headers: HTTPHeaders) async throws -> HTTPClientResponse {
        let deadline = ContinuousClock.now + configuration.timeoutSpan
        var url = pointer.url
        for _ in 0...Self.redirectsMaximum {
            let left = ContinuousClock.now.duration(to: deadline)
            guard left > .zero else { throw WalletError.timedOut }
            let response = try await send(url, headers, timeout: left, pointer)
            guard (200..<600).contains(response.status.code) else {
                throw WalletError.unusable("the status \(response.status.code), which there is not")
            }
            guard Self.redirects.contains(response.status.code) else { return response }
            guard let location = response.headers["Location"] else {
                throw WalletError.unusable("a redirect that leads nowhere")
            }
            do {
                url = try WalletRedirect.target(location, from: url, rules: configuration.pointerRules)
            } catch {
                throw refused(pointer, "a redirect to what is no wallet's address: \(error)")
            }
        }
        throw WalletError.unusable("more than \(Self.redirectsMaximum) redirects")
    }

    private static let redirects: Set<Int> = [301, 302, 303, 307, 308]

    private func send(
        _ url: String, _ headers: HTTPHeaders, timeout: Duration, _ pointer: PaymentPointer
    ) async throws -> HTTPClientResponse {
        do {
            return try await client.send(
                HTTPClientRequest(
                    .get, url: url, headers: headers, timeout: timeout,
                    responseBytesMaximum: Self.responseBytesMaximum))
        } catch let error as HTTPClientError {
            switch error {
            case .refusedAddress(let address): throw refused(pointer, "the address \(address)")
            case .timedOut: throw WalletError.timedOut
            case .connectionLost: throw WalletError.reset
            case .bodyTooLarge, .headersTooLarge: throw WalletError.unusable("\(error)")
            case .connectionFailed, .tls, .invalidRequest, .closed, .other: throw WalletError.unreachable("\(error)")
            }
        }
    }

    private func refused(_ pointer: PaymentPointer, _ reason: String) -> WalletError {
        logger.warning("Refused to ask a wallet", ["pointer": pointer.text, "refused": reason])
        return .refused(reason)
    }
}

/// Why a wallet gave no answer that could be used.
///
/// Texts name hosts and addresses, never header values or bodies.
enum WalletError: Error, Hashable, Sendable {
    /// It is not asked: its address, or that of a redirect, is none of the public Internet. Nothing was sent there.
    case refused(String)
    /// Nobody answers there, or not as the one whose name it is.
    case unreachable(String)
    /// The connection broke before the answer was complete.
    case reset
    /// It did not answer in time.
    case timedOut
    /// It answered what makes no sense.
    case unusable(String)
}

extension WalletError: CustomStringConvertible {
    /// What is counted.
    var outcome: String {
        switch self {
        case .refused: "refused"
        case .unreachable: "unreachable"
        case .reset: "reset"
        case .timedOut: "timeout"
        case .unusable: "unusable"
        }
    }

    /// One line for a person.
    var description: String {
        switch self {
        case .refused(let what): "refused to ask: \(what)"
        case .unreachable(let reason): reason
        case .reset: "the wallet closed the connection"
        case .timedOut: "the wallet did not answer in time"
        case .unusable(let reason): reason
        }
    }
}

/// Where a wallet's redirect leads.
enum WalletRedirect {
    /// Reads the field `Location`: a URL such as a wallet may have, or a path of the same host; a query is let through.
    ///
    /// - Parameter url: The URL that answered; it was checked before.
    static func target(
        _ location: String, from url: String, rules: PaymentPointer.Rules
    ) throws(PaymentPointerError) -> String {
        guard location.utf8.count <= PaymentPointer.bytesMaximum * 4 else {
            throw PaymentPointerError("it is longer than 2048 bytes")
        }
        let address = location.prefix { $0 != "?" }
        let query = location.dropFirst(address.count)
        guard !query.contains("#"), query.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw PaymentPointerError("its query has characters that must be escaped")
        }
        guard address.hasPrefix("/"), !address.hasPrefix("//") else {
            return try WalletURL(String(address), rules: rules).text + query
        }
        let base = try WalletURL(String(url.prefix { $0 != "?" }), rules: rules)
        return try WalletURL(scheme: base.scheme, rest: base.authority[...] + address, rules: rules).text + query
    }
}
