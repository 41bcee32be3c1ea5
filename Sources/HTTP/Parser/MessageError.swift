/// Why a message has no single meaning, or is larger than we take.
///
/// The sender of such a request gets `status` and the connection closes: nothing after the fault can be trusted.
enum MessageError: Error, Equatable {
    case lineFeedWithoutReturn
    case badRequestLine
    case badTarget
    case dotSegment
    case connectRefused
    case badStatusLine
    case versionNotSupported
    case badFieldName
    case badFieldValue
    case foldedField
    case badContentLength
    case repeatedContentLength
    case badTransferCoding
    case lengthAndTransferCoding
    case transferCodingInOldVersion
    case missingHost
    case repeatedHost
    case badHost
    case hostMismatch
    case unknownExpectation
    case badPseudoField
    case connectionField
    case badChunk
    case badTrailer
    case requestLineTooLong
    case headTooLarge
    case tooManyFields

    /// What a client is told.
    var status: HTTPStatus {
        switch self {
        case .versionNotSupported: .versionNotSupported
        case .unknownExpectation: .expectationFailed
        case .connectRefused: .methodNotAllowed
        case .requestLineTooLong: .uriTooLong
        case .headTooLarge, .tooManyFields: .headerFieldsTooLarge
        default: .badRequest
        }
    }

    /// One sentence for the client; it repeats nothing of the request.
    var explanation: String {
        switch self {
        case .lineFeedWithoutReturn: "A line ends with LF alone; HTTP/1.1 lines end with CR LF."
        case .badRequestLine: "The request line is not 'method target HTTP/1.1'."
        case .badTarget: "The request target has characters or escapes that are not allowed."
        case .dotSegment: "The path has a '.' or '..' segment; send the path it stands for."
        case .connectRefused: "CONNECT is not offered."
        case .badStatusLine: "The status line is not valid."
        case .versionNotSupported: "Only HTTP/1.1 and HTTP/1.0 are spoken here."
        case .badFieldName: "A header field has no valid name directly followed by a colon."
        case .badFieldValue: "A header field's value has control characters."
        case .foldedField: "A header field is continued on a second line."
        case .badContentLength: "Content-Length is not a plain number."
        case .repeatedContentLength: "Content-Length is given more than once."
        case .badTransferCoding: "Transfer-Encoding is something other than 'chunked', once."
        case .lengthAndTransferCoding: "Both Content-Length and Transfer-Encoding are given."
        case .transferCodingInOldVersion: "Transfer-Encoding is not part of HTTP/1.0."
        case .missingHost: "The Host field is missing."
        case .repeatedHost: "The Host field is given more than once."
        case .badHost: "The Host field is not a host name with an optional port."
        case .hostMismatch: "The Host field differs from the host in the request target."
        case .unknownExpectation: "Only '100-continue' can be expected."
        case .badPseudoField: "The pseudo-header fields are not those of one request."
        case .connectionField: "A header field concerns the connection, which HTTP/2 has none of."
        case .badChunk: "The chunked body is malformed."
        case .badTrailer: "The trailer section is malformed or too large."
        case .requestLineTooLong: "The request line is too long."
        case .headTooLarge: "The header section is too large."
        case .tooManyFields: "There are too many header fields."
        }
    }
}
