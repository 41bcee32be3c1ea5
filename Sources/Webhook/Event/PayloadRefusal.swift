import JSON

/// Why a payload is refused, with a text for its sender.
struct PayloadRefusal: Error, Equatable {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}

/// Reads payloads whose signature was verified before.
enum Payload {
    /// Payloads of real hosts nest about eight levels.
    private static let depthMaximum = 64

    /// Reads one; members that the type does not know are ignored, since hosts add some every year.
    ///
    /// - Parameters:
    ///   - type: What to read.
    ///   - body: The whole body.
    ///   - what: What it should be, for the text of a refusal: `a push event`.
    static func read<Value: Decodable>(
        _ type: Value.Type, from body: [UInt8], as what: String
    ) throws(PayloadRefusal) -> Value {
        do {
            let limits = JSONReader.Limits(bytesMaximum: WebhookLimits.bodyBytesMaximum, depthMaximum: depthMaximum)
            return try JSONReader(limits: limits).decode(type, from: body)
        } catch {
            throw PayloadRefusal("the payload is not \(what): \(error)")
        }
    }
}
