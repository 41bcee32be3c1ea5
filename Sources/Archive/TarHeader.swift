/// The 512-byte header of one entry (POSIX.1-2017, pax, "ustar Interchange Format"), and the extended header before it.
struct TarHeader {
    enum Kind: UInt8 {
        case file = 0x30  // "0"
        case symbolicLink = 0x32  // "2"
        case directory = 0x35  // "5"
        case extended = 0x78  // "x"
    }

    static let blockBytes = 512

    let path: String
    let kind: Kind
    let mode: UInt32
    let size: Int64
    let linkTarget: String
    let modificationTime: Int64

    /// The header's blocks: an extended header where a plain one cannot hold a value, then the plain one.
    func blocks() -> [UInt8] {
        var records: [UInt8] = []
        if !Self.fits(path) { records += Self.record("path", path) }
        if !Self.fits(linkTarget) { records += Self.record("linkpath", linkTarget) }
        if size > Self.sizeMaximum { records += Self.record("size", String(size)) }
        guard !records.isEmpty else { return block() }
        let extended = TarHeader(
            path: "PaxHeaders/" + Self.shortened(path), kind: .extended, mode: 0o644, size: Int64(records.count),
            linkTarget: "", modificationTime: modificationTime)
        return extended.block() + records + Self.padding(after: Int64(records.count)) + block()
    }

    /// The zeros that fill the last block of a content.
    static func padding(after size: Int64) -> [UInt8] {
        let rest = Int(size % Int64(blockBytes))
        return rest == 0 ? [] : [UInt8](repeating: 0, count: blockBytes - rest)
    }

    /// The largest size in 11 octal digits: 8 GiB less one.
    private static let sizeMaximum: Int64 = 0o77_777_777_777

    private static func fits(_ text: String) -> Bool {
        text.utf8.count <= 100 && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }

    /// What readers without extended headers see: ASCII, cut to fit even behind a prefix.
    private static func shortened(_ text: String) -> String {
        let ascii = text.utf8.map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: "_") }
        return String(decoding: ascii.suffix(80), as: UTF8.self)
    }

    /// One record: `30 path=…\n`, whose length counts its own digits.
    private static func record(_ key: String, _ value: String) -> [UInt8] {
        let rest = Array(" \(key)=\(value)\n".utf8)
        var length = rest.count
        while String(length).utf8.count + rest.count != length { length = String(length).utf8.count + rest.count }
        return Array(String(length).utf8) + rest
    }

    private func block() -> [UInt8] {
        var block: [UInt8] = []
        block.reserveCapacity(Self.blockBytes)
        Self.append(Self.fits(path) ? path : Self.shortened(path), width: 100, to: &block)
        Self.append(Self.octal(Int64(mode), digits: 7), width: 8, to: &block)
        Self.append(Self.octal(0, digits: 7), width: 8, to: &block)  // Owner: root.
        Self.append(Self.octal(0, digits: 7), width: 8, to: &block)  // Group: root.
        Self.append(Self.octal(min(size, Self.sizeMaximum), digits: 11), width: 12, to: &block)
        Self.append(Self.octal(modificationTime, digits: 11), width: 12, to: &block)
        Self.append("        ", width: 8, to: &block)  // The checksum counts its own field as spaces.
        block.append(kind.rawValue)
        Self.append(Self.fits(linkTarget) ? linkTarget : Self.shortened(linkTarget), width: 100, to: &block)
        Self.append("ustar\u{0}00", width: 8, to: &block)
        block.append(contentsOf: repeatElement(0, count: Self.blockBytes - block.count))
        let sum = block.reduce(0) { $0 + Int64($1) }
        block.replaceSubrange(148..<156, with: Array((Self.octal(sum, digits: 6) + "\u{0} ").utf8))
        return block
    }

    private static func append(_ text: String, width: Int, to block: inout [UInt8]) {
        block.append(contentsOf: text.utf8.prefix(width))
        block.append(contentsOf: repeatElement(0, count: max(0, width - text.utf8.count)))
    }

    private static func octal(_ value: Int64, digits: Int) -> String {
        let text = String(value, radix: 8)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }
}
