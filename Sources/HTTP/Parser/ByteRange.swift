import Glibc

/// A stretch of a message's bytes, counted from the first byte of the message.
///
/// Heads are kept as ranges into the bytes they were read from, so that reading one copies nothing.
public struct ByteRange: Sendable, Equatable {
    /// The first byte.
    public let start: Int
    /// One past the last byte; not before `start`.
    public let end: Int

    /// Makes the stretch from `start` up to `end`.
    public init(_ start: Int, _ end: Int) {
        precondition(start <= end, "A stretch of bytes ends before it starts")
        self.start = start
        self.end = end
    }

    /// Nothing.
    static let empty = ByteRange(0, 0)

    /// How many bytes it is.
    public var count: Int { end - start }

    /// Whether it is nothing.
    public var isEmpty: Bool { start == end }
}

extension Span where Element == UInt8 {
    /// Returns the place of the first `byte` at or after `start`, or `nil`.
    @inline(__always)
    func firstIndex(of byte: UInt8, from start: Int) -> Int? {
        guard start < count else { return nil }
        return withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, let found = memchr(base + start, Int32(byte), bytes.count - start)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }

    /// Whether `range` is `literal`, byte for byte.
    @inline(__always)
    public func equals(_ range: ByteRange, _ literal: StaticString) -> Bool {
        guard range.count == literal.utf8CodeUnitCount else { return false }
        for offset in 0..<range.count where self[range.start + offset] != literal.utf8Start[offset] {
            return false
        }
        return true
    }

    /// Whether `range` is `literal`, which is lower-case ASCII letters, digits and hyphens, in any case of letters.
    @inline(__always)
    func matches(_ range: ByteRange, _ literal: StaticString) -> Bool {
        guard range.count == literal.utf8CodeUnitCount else { return false }
        for offset in 0..<range.count
        where HTTPCharacters.lowercased(self[range.start + offset]) != literal.utf8Start[offset] {
            return false
        }
        return true
    }

    /// Whether `range` begins with `literal` (lower-case), in any case of letters.
    @inline(__always)
    func begins(_ range: ByteRange, with literal: StaticString) -> Bool {
        range.count >= literal.utf8CodeUnitCount
            && matches(ByteRange(range.start, range.start + literal.utf8CodeUnitCount), literal)
    }

    /// Whether two stretches are the same text without regard to ASCII case.
    func equalIgnoringCase(_ left: ByteRange, _ right: ByteRange) -> Bool {
        guard left.count == right.count else { return false }
        for offset in 0..<left.count
        where HTTPCharacters.lowercased(self[left.start + offset])
            != HTTPCharacters.lowercased(self[right.start + offset])
        {
            return false
        }
        return true
    }

    /// The bytes of `range` as text; what is not UTF-8 becomes U+FFFD.
    public func text(_ range: ByteRange) -> String {
        extracting(range.start..<range.end).withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
    }
}
