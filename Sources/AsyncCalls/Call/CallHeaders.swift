public import HTTP

/// Which fields of a caller's request are kept with a call, and which of a function's answer are posted.
///
/// An allow-list: what is not known to be about the content, the call's meaning or its trace is not written to a disk.
/// Cookies are not, nor is anything that concerns one connection or says who the client is.
public enum CallHeaders {
    /// How many bytes of fields are kept; longer ones are refused.
    public static let bytesMaximum = 32 << 10

    private static let names: Set<String> = [
        "accept", "accept-encoding", "accept-language", "authorization", "baggage", "content-disposition",
        "content-encoding", "content-language", "content-location", "content-type", "date", "etag", "idempotency-key",
        "if-match", "if-none-match", "last-modified", "link", "location", "prefer", "retry-after", "traceparent",
        "tracestate", "user-agent", "warning",
    ]
    /// What webhooks sign with, CloudEvents, and all that people made up.
    private static let prefixes = ["x-", "ce-", "webhook-", "openfaas-"]
    /// What the gateway says itself, or what only it may be told.
    private static let refused: Set<String> = [
        "x-call-id", "x-callback-url", "x-start-time", "x-real-ip", "x-request-id", "x-duration-seconds",
        "x-function-name", "x-function-status",
    ]

    /// Chooses the fields that are kept, in their order.
    public static func kept(of headers: HTTPHeaders) -> [AsyncCall.Field] {
        headers.fields.filter { keeps($0.name) }.map { AsyncCall.Field($0.name, $0.value) }
    }

    /// Whether a field of this name is kept.
    public static func keeps(_ name: String) -> Bool {
        let name = name.lowercased()
        if names.contains(name) { return true }
        guard !refused.contains(name), !name.hasPrefix("x-forwarded-"), !name.hasPrefix("x-farebox-") else {
            return false
        }
        return prefixes.contains { name.hasPrefix($0) }
    }
}
