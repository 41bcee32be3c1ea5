import HTTP
import Timing

/// How one kind of Git host signs a delivery, names it and writes its events.
protocol GitHostDialect: Sendable {
    /// Which kind.
    var kind: GitHostKind { get }

    /// Says why a delivery is not to be believed; nil when it is genuine.
    ///
    /// - Parameters:
    ///   - delivery: The raw delivery; nothing of its body may be parsed.
    ///   - secrets: The secrets that are valid now, at least one.
    ///   - now: The time, for signatures that have one.
    func doubt(_ delivery: RawDelivery, secrets: [[UInt8]], now: Timestamp) -> String?

    /// What tells this delivery from every other one: the same when it is sent again.
    func identifier(_ delivery: RawDelivery) throws(PayloadRefusal) -> String

    /// Reads the event of a genuine delivery.
    func event(_ delivery: RawDelivery) throws(PayloadRefusal) -> GitEvent
}

/// A delivery as it came: the fields of its head and its whole body.
struct RawDelivery: Sendable {
    let headers: HTTPHeaders
    let body: [UInt8]

    /// The first of these fields that is there and not empty.
    func field(_ names: String...) -> String? {
        names.lazy.compactMap { headers[$0] }.first { !$0.isEmpty }
    }

    /// Whether the body is announced as JSON, which is checked before it is read as such.
    var isJSON: Bool { headers["Content-Type"]?.lowercased().hasPrefix("application/json") == true }
}

/// The name of a delivery, where it may be kept: printable, without spaces, short.
enum DeliveryIdentifier {
    /// Checks what a host sent.
    ///
    /// - Parameters:
    ///   - text: The value of the field; nil when it is not there.
    ///   - field: The field's name, for the refusal.
    static func checked(_ text: String?, field: String) throws(PayloadRefusal) -> String {
        guard let text, !text.isEmpty, text.utf8.count <= WebhookLimits.deliveryBytesMaximum,
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { throw PayloadRefusal("\(field) is missing, too long or not printable") }
        return text
    }
}
