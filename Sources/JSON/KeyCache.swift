/// Keys that came before, so that the same key in ten thousand objects is one string in memory.
///
/// Only keys that do not fit into a `String` itself are kept: the short ones cost nothing to make.
struct KeyCache {
    /// The sizes of keys that are kept: a `String` holds 15 bytes without memory of its own.
    static let keptBytes = 16...64

    private var keys = [String](repeating: "", count: 256)

    /// The string of these bytes, from the cache or else made and kept.
    ///
    /// - Parameter bytes: A key in ASCII without escapes.
    mutating func key(_ bytes: Span<UInt8>) -> String {
        var hash = UInt32(truncatingIfNeeded: bytes.count)
        for index in bytes.indices { hash = (hash ^ UInt32(bytes[index])) &* 0x0100_0193 }  // FNV-1a.
        let slot = Int(hash >> 24 ^ hash & 0xFF)
        if Self.equal(keys[slot], bytes) { return keys[slot] }
        let key = String(copying: UTF8Span(unchecked: bytes, isKnownASCII: true))
        keys[slot] = key
        return key
    }

    private static func equal(_ key: String, _ bytes: Span<UInt8>) -> Bool {
        let units = key.utf8Span.span
        guard units.count == bytes.count else { return false }
        for index in bytes.indices where units[index] != bytes[index] { return false }
        return true
    }
}
