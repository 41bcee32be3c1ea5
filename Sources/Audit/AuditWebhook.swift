import Cryptography
public import HTTP
import JSON

/// Posts each event to a receiver, signed.
///
/// The body is one JSON object; `X-Farebox-Signature` is `sha256=` and the hex digits of the HMAC-SHA256 over the raw
/// body. The body holds time and id, by which a receiver refuses old and repeated ones.
public struct AuditWebhook: AuditSink {
    /// One word, for metrics.
    public let name = "http"
    /// The field that carries the signature.
    public static let signatureField = "X-Farebox-Signature"

    private let url: String
    private let secret: @Sendable () -> [UInt8]?
    private let delivery: AuditDelivery

    /// Makes the sink.
    ///
    /// - Parameters:
    ///   - url: Of the receiver.
    ///   - secret: What bodies are signed with, asked for each time; nothing is sent without one.
    ///   - client: Sends the requests.
    public init(url: String, client: HTTPClient, secret: @escaping @Sendable () -> [UInt8]?) {
        self.init(url: url, delivery: AuditDelivery(client: client), secret: secret)
    }

    init(url: String, delivery: AuditDelivery, secret: @escaping @Sendable () -> [UInt8]?) {
        self.url = url
        self.delivery = delivery
        self.secret = secret
    }

    /// Posts the event.
    public func tell(_ event: AuditEvent, source: String) async -> String? {
        guard let secret = secret(), !secret.isEmpty else { return "the secret of audit.secretFile cannot be read" }
        let body = JSONWriter().write(event.value(source: source))
        let headers = HTTPHeaders([(Self.signatureField, Self.signature(of: body, secret: secret))])
        return await delivery.post(body, to: url, headers: headers)
    }

    /// The value of ``signatureField``.
    static func signature(of body: [UInt8], secret: [UInt8]) -> String {
        "sha256=" + Hex.encode(HMAC.sha256(key: secret, message: body))
    }
}

/// Posts each event to a Slack channel, or to what takes Slack's messages.
public struct AuditSlack: AuditSink {
    /// One word, for metrics.
    public let name = "slack"
    private let url: @Sendable () -> String?
    private let delivery: AuditDelivery

    /// Makes the sink.
    ///
    /// - Parameters:
    ///   - client: Sends the requests.
    ///   - url: Of the incoming webhook, asked for each time; whoever has it may post, so it is never told.
    public init(client: HTTPClient, url: @escaping @Sendable () -> String?) {
        self.init(delivery: AuditDelivery(client: client), url: url)
    }

    init(delivery: AuditDelivery, url: @escaping @Sendable () -> String?) {
        self.delivery = delivery
        self.url = url
    }

    /// Posts the event as `[<source>] <owner>/<repository>: '<message>'`.
    public func tell(_ event: AuditEvent, source: String) async -> String? {
        guard let url = url(), !url.isEmpty else { return "the URL of audit.slackURLFile cannot be read" }
        let whose = AuditEvent.cut(event.owner) + "/" + AuditEvent.cut(event.repository)
        let text = "[\(source)] \(whose): '\(event.message)'"
        return await delivery.post(
            JSONWriter().write(["text": .string(Self.escaped(text))]), to: url, headers: HTTPHeaders())
    }

    /// Slack reads `&`, `<` and `>` as the start of links and mentions: a commit's author must not call a whole channel.
    static func escaped(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
