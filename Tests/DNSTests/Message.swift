/// A DNS message written byte by byte, so that it may hold what no server writes.
struct Message {
    var bytes: [UInt8]

    /// The answer to a question for TXT records, without any record yet.
    ///
    /// - Parameters:
    ///   - code: The response code: 0 for none, 2 when the server failed, 3 when there is no such name.
    ///   - isCut: Whether there is more than fits, to be asked for by TCP.
    init(id: [UInt8] = [0, 1], name: String, answers: Int = 0, code: UInt8 = 0, isCut: Bool = false) {
        bytes = id + [isCut ? 0x83 : 0x81, 0x80 | code, 0, 1, 0, UInt8(answers), 0, 0, 0, 0]
        bytes += Self.name(name) + [0, 16, 0, 1]
    }

    /// Adds a record; its owner is the question's name unless another is given.
    mutating func record(
        owner: [UInt8] = [0xC0, 12], type: UInt8, family: UInt8 = 1, data: [UInt8], length: Int? = nil
    ) {
        let length = length ?? data.count
        bytes += owner + [0, type, 0, family, 0, 0, 0, 60, UInt8(length >> 8), UInt8(length & 0xFF)] + data
    }

    /// Adds a TXT record made of these strings.
    mutating func text(_ strings: String..., owner: [UInt8] = [0xC0, 12]) {
        record(owner: owner, type: 16, data: strings.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) })
    }

    /// A name as it is written out.
    static func name(_ text: String) -> [UInt8] {
        text.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }
}
