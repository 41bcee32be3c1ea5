import HTTP
import JSON
import KubernetesTypes

/// Reads what a server says when it refuses.
enum ErrorAnswer {
    /// Larger bodies of refusals are not read to their end.
    static let bytesMaximum = 1 << 20

    /// Returns the Status object of an answer, or one that is made from what is there.
    ///
    /// A front proxy may answer in its own words; a short piece of them is kept for people.
    static func status(_ code: HTTPStatus, _ headers: HTTPHeaders, _ body: [UInt8], _ request: String) -> APIStatus {
        var status = decoded(body) ?? APIStatus(message: message(code, body, request))
        if status.code == 0 { status.code = code.code }
        if status.details?.retryAfterSeconds ?? 0 == 0, let seconds = retryAfter(headers) {
            var details = status.details ?? StatusDetails()
            details.retryAfterSeconds = seconds
            status.details = details
        }
        return status
    }

    /// Returns the seconds of a `Retry-After` field; a date, which no API server sends, is not understood.
    static func retryAfter(_ headers: HTTPHeaders) -> Int? {
        headers["Retry-After"].flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil }
    }

    private static func decoded(_ body: [UInt8]) -> APIStatus? {
        guard let value = try? JSONReader().parse(body), value["kind"]?.stringValue == "Status" else { return nil }
        return try? JSONReader().decode(APIStatus.self, from: value)
    }

    private static let excerptMaximum = 200

    private static func message(_ code: HTTPStatus, _ body: [UInt8], _ request: String) -> String {
        let text = String(decoding: body.prefix(excerptMaximum * 4), as: UTF8.self)
        let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ").prefix(excerptMaximum)
        return "\(request): the server answered \(code)" + (line.isEmpty ? "" : ": \(line)")
    }
}
