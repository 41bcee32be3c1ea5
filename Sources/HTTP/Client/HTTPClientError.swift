/// Why an exchange gave no complete response, by what the caller can do about it.
///
/// Texts come from libcurl and name hosts and ports, never header values or bodies.
public enum HTTPClientError: Error, Hashable, Sendable {
    /// The time limit passed, or the peer was silent for too long.
    case timedOut(mayHaveArrived: Bool)
    /// No connection came about: the name did not resolve, or nobody answered. Nothing was sent.
    case connectionFailed(reason: String)
    /// The connection broke during the exchange.
    case connectionLost(reason: String, mayHaveArrived: Bool)
    /// The peers do not trust each other, or a certificate or key of ours is unusable. Nothing was sent.
    case tls(reason: String)
    /// The address guard refused where the name leads to. Nothing was sent.
    case refusedAddress(String)
    /// The response's body is larger than the request allows.
    case bodyTooLarge(bytesMaximum: Int)
    /// The response's header section is larger than we read.
    case headersTooLarge(bytesMaximum: Int)
    /// The request cannot be sent as it is: a malformed URL, a file that cannot be read. Nothing was sent.
    case invalidRequest(reason: String)
    /// The client is shut down. Nothing was sent.
    case closed
    /// Anything else, with libcurl's code.
    case other(code: Int, reason: String, mayHaveArrived: Bool)

    /// Whether the server may have acted on the request; when not, any request can be sent again.
    public var mayHaveArrived: Bool {
        switch self {
        case .timedOut(let mayHaveArrived), .connectionLost(_, let mayHaveArrived), .other(_, _, let mayHaveArrived):
            mayHaveArrived
        case .bodyTooLarge, .headersTooLarge:
            true
        case .connectionFailed, .tls, .refusedAddress, .invalidRequest, .closed:
            false
        }
    }
}

extension HTTPClientError: CustomStringConvertible {
    /// One line for a person.
    public var description: String {
        switch self {
        case .timedOut: "the server did not answer in time"
        case .connectionFailed(let reason): "no connection: \(reason)"
        case .connectionLost(let reason, _): "the connection broke: \(reason)"
        case .tls(let reason): "no secure connection: \(reason)"
        case .refusedAddress(let address): "the address \(address) is not public and was refused"
        case .bodyTooLarge(let maximum): "the response is larger than \(maximum) bytes"
        case .headersTooLarge(let maximum): "the response's headers are larger than \(maximum) bytes"
        case .invalidRequest(let reason): "the request cannot be sent: \(reason)"
        case .closed: "the client is shut down"
        case .other(let code, let reason, _): "\(reason) (libcurl error \(code))"
        }
    }
}
