/// A word of a tag.
struct JinjaToken: Sendable {
    enum Kind: Sendable, Hashable {
        case name(String)
        case text(String)
        case integer(Int)
        case sign(String)
    }

    let kind: Kind
    let line: Int

    /// As it is shown in messages.
    var description: String {
        switch kind {
        case .name(let name): "'\(name)'"
        case .text: "a text"
        case .integer(let value): "'\(value)'"
        case .sign(let sign): "'\(sign)'"
        }
    }
}

/// A stretch of a template: text, or a tag with its words.
enum JinjaPiece: Sendable {
    case text([UInt8])
    case output([JinjaToken], line: Int)
    case statement([JinjaToken], line: Int)
}
