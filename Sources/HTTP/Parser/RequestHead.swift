/// The head of one request, as ranges into the bytes it was read from.
///
/// Only heads with a single meaning exist (RFC 9112): the framing is unambiguous, `Host` was given once and is
/// well-formed, the path has no `.` or `..` segment in any spelling and no backslash. Percent-escapes are checked,
/// not decoded.
public struct RequestHead {
    /// The method, case-sensitive.
    public internal(set) var method = ByteRange.empty
    /// The path as sent, from its first `/`; empty stands for `/` (a target such as `http://host`).
    public internal(set) var path = ByteRange.empty
    /// What follows the `?`, as sent; `nil` without one.
    public internal(set) var query: ByteRange?
    /// Host and optional port, from the target or the `Host` field; `nil` only in HTTP/1.0.
    public internal(set) var host: ByteRange?
    /// All bytes of the head, the empty line included.
    public internal(set) var byteCount = 0

    /// Whether it came by TLS.
    public internal(set) var isSecure = false

    /// 1 for HTTP/1.1, 0 for HTTP/1.0.
    var minorVersion: UInt8 = 1
    var framing = BodyFraming.none
    var keepsConnection = true
    var expectsContinue = false
    /// The value of `Upgrade` where the request asks to switch to WebSocket; other protocols are not switched to.
    var upgrade: ByteRange?
    /// The caller's request id, when it gave one that is fit to be passed on.
    var requestID: ByteRange?
    var isHead = false
    /// Whether sending it twice is harmless (RFC 9110 §9.2.2).
    var isIdempotent = false
    /// Whether it asks for no change at all (RFC 9110 §9.2.1).
    var isSafe = false
    var section = FieldSection()
    var connectionFields = FramingFields()

    /// Path and query as sent.
    public var target: ByteRange { ByteRange(path.start, query?.end ?? path.end) }

    /// The first value of the field called `name` (lower-case), or `nil`.
    public func value(of name: StaticString, in bytes: Span<UInt8>) -> ByteRange? {
        for record in section.records where bytes.matches(record.name, name) {
            return record.value
        }
        return nil
    }
}
