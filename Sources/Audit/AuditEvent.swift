import Cryptography
public import JSON
public import Timing

/// One thing that somebody, or Farebox itself, did: who, what, to which object, and how it went.
///
/// It holds no secret and no source code. Texts are cut to ``textBytesMaximum`` when they are told.
public struct AuditEvent: Sendable, Hashable {
    /// How it went.
    public enum Result: String, Sendable, Hashable, CaseIterable {
        /// It was done.
        case succeeded
        /// It was tried and failed.
        case failed
        /// It was not allowed, or not accepted.
        case refused
    }

    /// Tells one event from another; the same when the same thing is told twice, where the teller can know that.
    public var id: String
    /// When it happened.
    public var time: Timestamp
    /// Who did it: a login at the Git host, or the process that acted by itself.
    public var actor: String
    /// What was done, in one word that is always the same, such as `BuildStarted`.
    public var action: String
    /// To what, such as `Function farebox-functions/alice-hello`.
    public var object: String
    /// Whose object it is; empty when it has no owner.
    public var owner: String
    /// The owner's repository; empty when none is concerned.
    public var repository: String
    /// How it went.
    public var result: Result
    /// The rest, for people.
    public var detail: String

    /// No text is told with more bytes than this.
    public static let textBytesMaximum = 1024

    /// Makes an event.
    ///
    /// - Parameters:
    ///   - id: Chance decides when it is not given.
    ///   - time: Now by default.
    public init(
        id: String? = nil, time: Timestamp = .now, actor: String, action: String, object: String, owner: String = "",
        repository: String = "", result: Result = .succeeded, detail: String = ""
    ) {
        self.id = id ?? Hex.encode(randomBytes(16))
        self.time = time
        self.actor = actor
        self.action = action
        self.object = object
        self.owner = owner
        self.repository = repository
        self.result = result
        self.detail = detail
    }

    /// The event as it is written and sent.
    ///
    /// - Parameter source: The process that tells of it.
    public func value(source: String) -> JSONValue {
        [
            "audit": .string(Self.cut(action)), "id": .string(Self.cut(id)),
            "time": .string(time.rfc3339(.microseconds)),
            "source": .string(source), "actor": .string(Self.cut(actor)), "object": .string(Self.cut(object)),
            "owner": .string(Self.cut(owner)), "repository": .string(Self.cut(repository)),
            "result": .string(result.rawValue), "detail": .string(Self.cut(detail)),
        ]
    }

    /// One sentence for a chat.
    var message: String {
        var text = "\(Self.cut(action)) \(Self.cut(object)) by \(Self.cut(actor)): \(result.rawValue)"
        if !detail.isEmpty { text += ": " + Self.cut(detail) }
        return text
    }

    /// The text within the limit, cut between characters.
    static func cut(_ text: String) -> String {
        guard text.utf8.count > textBytesMaximum else { return text }
        var bytes = 0
        let kept = text.unicodeScalars.prefix {
            bytes += UTF8.width($0)
            return bytes <= textBytesMaximum - 3
        }
        return String(kept) + "…"
    }
}
