import JSON
import Timing

/// A call as bytes: a version, the length of a JSON document about it, the document, the content.
///
/// Both stores keep this. What one process writes, an older or newer one must read, so a field is only ever added.
enum CallEnvelope {
    /// Why bytes are no call.
    struct Malformed: Error, CustomStringConvertible {
        let description: String
    }

    /// The only version there is.
    private static let version: UInt8 = 1
    /// The version and four bytes of length, the most significant first.
    private static let prefixBytes = 5

    /// Writes a call.
    static func encode(_ call: AsyncCall) -> [UInt8] {
        let about = JSONWriter().write(.object(document(of: call)))
        var bytes: [UInt8] = [version]
        bytes.reserveCapacity(prefixBytes + about.count + call.body.count)
        for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: about.count >> shift)) }
        bytes.append(contentsOf: about)
        bytes.append(contentsOf: call.body)
        return bytes
    }

    /// Reads a call.
    ///
    /// - Throws: ``Malformed``.
    static func decode(_ bytes: [UInt8]) throws(Malformed) -> AsyncCall {
        guard bytes.count >= prefixBytes, bytes[0] == version else {
            throw Malformed(description: "it is of no version that is known")
        }
        let count = bytes[1..<prefixBytes].reduce(0) { $0 << 8 | Int($1) }
        guard count <= bytes.count - prefixBytes else { throw Malformed(description: "it is cut off") }
        let end = prefixBytes + count
        guard let about = try? JSONReader().parse(Array(bytes[prefixBytes..<end])) else {
            throw Malformed(description: "its document is no JSON")
        }
        return try call(about, body: Array(bytes[end...]))
    }

    private static func document(of call: AsyncCall) -> JSONObject {
        var document: JSONObject = [
            "id": .string(call.id), "callId": .string(call.callID), "kind": .string(call.lane.kind.rawValue),
            "namespace": .string(call.lane.namespace), "name": .string(call.lane.name),
            "method": .string(call.method), "target": .string(call.target), "host": .string(call.host),
            "headers": .array(call.headers.map { .array([.string($0.name), .string($0.value)]) }),
            "acceptedAt": .integer(call.acceptedAt.microseconds), "isPaid": .bool(call.isPaid),
        ]
        document["callbackUrl"] = call.callbackURL.map { .string($0) }
        return document
    }

    private static func call(_ about: JSONValue, body: [UInt8]) throws(Malformed) -> AsyncCall {
        guard let id = about["id"]?.stringValue, let callID = about["callId"]?.stringValue,
            let kind = about["kind"]?.stringValue.flatMap({ CallLane.Kind(rawValue: $0) }),
            let namespace = about["namespace"]?.stringValue, let name = about["name"]?.stringValue,
            let method = about["method"]?.stringValue, let target = about["target"]?.stringValue,
            let acceptedAt = about["acceptedAt"]?.integerValue
        else { throw Malformed(description: "a field is missing") }
        let headers = (about["headers"]?.arrayValue ?? []).compactMap { pair -> AsyncCall.Field? in
            guard let name = pair[0]?.stringValue, let value = pair[1]?.stringValue else { return nil }
            return AsyncCall.Field(name, value)
        }
        return AsyncCall(
            id: id, callID: callID, lane: CallLane(kind, namespace: namespace, name: name), method: method,
            target: target, host: about["host"]?.stringValue ?? "", headers: headers, body: body,
            callbackURL: about["callbackUrl"]?.stringValue, acceptedAt: Timestamp(microseconds: acceptedAt),
            isPaid: about["isPaid"]?.boolValue ?? false)
    }
}

extension Timestamp {
    /// Microseconds since 1970, which 64 bits hold for all years that there are here.
    var microseconds: Int64 { secondsSinceEpoch * 1_000_000 + Int64(nanoseconds / 1000) }

    /// The point so many microseconds after the beginning of 1970.
    init(microseconds: Int64) {
        let (seconds, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        self.init(
            secondsSinceEpoch: rest < 0 ? seconds - 1 : seconds,
            nanoseconds: Int32((rest < 0 ? rest + 1_000_000 : rest) * 1000))
    }
}
