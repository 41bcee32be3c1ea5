import JSON
import Timing

/// A point in time as hosts write it: seconds since 1970, or RFC 3339; anything else is read as none.
struct LenientTimestamp: Decodable, Equatable {
    let value: Timestamp?

    init(from decoder: any Decoder) throws {
        switch try decoder.singleValueContainer().decode(JSONValue.self) {
        case .integer(let seconds) where seconds > 0: value = Timestamp(secondsSinceEpoch: seconds)
        case .string(let text): value = Timestamp(rfc3339: text)
        default: value = nil
        }
    }
}
