/// Whose repositories may be built: owners' names, one a line, compared without regard to case.
///
/// Empty lines and what follows a `#` are skipped. A line `*` lets everybody in.
struct CustomerList: Equatable, Sendable {
    /// 1 MiB holds some 60,000 names.
    static let bytesMaximum = 1 << 20
    /// The longest name of an owner: GitLab allows 255 characters.
    private static let nameBytesMaximum = 255

    /// Why a text is no list of customers.
    struct Refusal: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    /// Nobody: what a list is that was not filled yet.
    static let closed = CustomerList(names: [], isOpen: false)

    private let names: Set<String>
    /// Whether everybody may come.
    let isOpen: Bool

    private init(names: Set<String>, isOpen: Bool) {
        self.names = names
        self.isOpen = isOpen
    }

    /// Reads a list.
    ///
    /// A line that cannot be a name spoils the whole list: it is a page of somebody's web server then, or a slip that would
    /// let in whoever bears what is left of the line.
    ///
    /// - Throws: ``Refusal`` with the line's number.
    init(_ bytes: [UInt8]) throws(Refusal) {
        guard bytes.count <= Self.bytesMaximum else {
            throw Refusal(description: "the list is larger than \(Self.bytesMaximum) bytes")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Refusal(description: "the list is not UTF-8")
        }
        var names: Set<String> = []
        var isOpen = false
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
            guard let word = words.first?.lowercased() else { continue }
            guard words.count == 1, word == "*" || Self.isName(word) else {
                throw Refusal(description: "line \(index + 1) of the list is not the name of an owner")
            }
            if word == "*" { isOpen = true } else { names.insert(word) }
        }
        self.init(names: names, isOpen: isOpen)
    }

    /// How many names there are.
    var count: Int { names.count }

    /// Whether the repositories of `owner` may be built.
    func allows(_ owner: String) -> Bool { isOpen || (!owner.isEmpty && names.contains(owner.lowercased())) }

    /// Pairs of names of which one is the other with a hyphen and more behind it.
    ///
    /// `alex` with a function `ellis-fn` and `alex-ellis` with `fn` want the same object name. The one that came first keeps
    /// it, so that nobody gets what is another's; but the second cannot be built.
    var confusable: [(shorter: String, longer: String)] {
        var pairs: [(shorter: String, longer: String)] = []
        for name in names.sorted() {
            for index in name.indices where name[index] == "-" {
                let start = String(name[..<index])
                if names.contains(start) { pairs.append((start, name)) }
            }
        }
        return pairs
    }

    private static func isName(_ name: String) -> Bool {
        name.utf8.count <= nameBytesMaximum
            && name.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-")
                    || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
            }
    }
}
