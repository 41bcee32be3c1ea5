/// What streams, subjects and consumers are called.
struct JetStreamNames: Sendable {
    let prefix: String

    /// The stream of calls, or of callbacks: a full one of the first kind must not keep the second from being filled, or no
    /// call could end.
    func stream(_ kind: CallLane.Kind) -> String {
        switch kind {
        case .function: "\(prefix)_CALLS"
        case .callback: "\(prefix)_CALLBACKS"
        }
    }

    /// All subjects of a stream.
    func subjects(_ kind: CallLane.Kind) -> String { "\(prefix).\(kind.rawValue).>" }

    /// The subject of a lane, which one consumer has to itself.
    func subject(_ lane: CallLane) -> String {
        "\(prefix).\(lane.kind.rawValue).\(Self.token(lane.namespace)).\(Self.token(lane.name))"
    }

    /// The consumer of a lane.
    func consumer(_ lane: CallLane) -> String { "\(Self.token(lane.namespace))__\(Self.token(lane.name))" }

    /// The stream of calls that were put away.
    var deadStream: String { "\(prefix)_DEAD" }

    /// All its subjects.
    var deadSubjects: String { "\(prefix).dead.>" }

    /// The subject of one call that was put away; `id` must be one of ours.
    func deadSubject(_ id: String) -> String { "\(prefix).dead.\(id)" }

    /// The lane whose subject this is; nil for a subject that is none of ours.
    func lane(subject: String) -> CallLane? {
        let parts = subject.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, parts[0] == prefix, let kind = CallLane.Kind(rawValue: parts[1]),
            let namespace = Self.text(parts[2]), let name = Self.text(parts[3])
        else { return nil }
        return CallLane(kind, namespace: namespace, name: name)
    }

    /// Writes a name so that it fits into a subject and a consumer's name: all but letters, digits and single `-` as `_` and
    /// two hexadecimal digits.
    static func token(_ text: String) -> String {
        var token = ""
        for byte in text.utf8 {
            if isPlain(byte) {
                token.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16)
                token += "_" + (digits.utf8.count == 1 ? "0" : "") + digits
            }
        }
        return token
    }

    /// Reads what ``token(_:)`` wrote.
    static func text(_ token: String) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(token.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "_") {
                guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
                else {
                    return nil
                }
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x2D
    }

    /// Whether a text can be one of our ids: nothing else may become part of a subject.
    static func isID(_ text: String) -> Bool {
        text.utf8.count == 32 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    /// How often a message has been handed out, by the subject that it is acknowledged at
    /// (`$JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<delivered>.…`).
    static func deliveries(acknowledgedAt subject: String) -> Int? {
        acknowledgement(subject).flatMap { Int($0[2]) }
    }

    /// The consumer that handed out what is acknowledged at this subject.
    static func consumer(acknowledgedAt subject: String) -> ConsumerName? {
        acknowledgement(subject).map { ConsumerName(stream: String($0[0]), consumer: String($0[1])) }
    }

    /// Stream, consumer, number of deliveries and the rest.
    private static func acknowledgement(_ subject: String) -> [Substring]? {
        let parts = subject.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count >= 9, parts[0] == "$JS", parts[1] == "ACK" else { return nil }
        return Array(parts.dropFirst(parts.count >= 11 ? 4 : 2))
    }
}

/// A consumer, in the stream that it reads.
struct ConsumerName: Hashable, Sendable {
    let stream: String
    let consumer: String
}
