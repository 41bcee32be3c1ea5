import Glibc

/// A small file with secrets, one a line: surrounding white space and empty lines do not count, `#` begins a remark.
enum SecretLines {
    /// Longer files hold something else.
    private static let bytesMaximum = 64 << 10

    /// Reads the lines.
    ///
    /// - Throws: ``PaymentsError`` that names the file, and never what is in it.
    static func read(_ path: String) throws(PaymentsError) -> [String] {
        let bytes = try SmallFile.read(path, bytesMaximum: bytesMaximum)
        return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
            .map(trimmed)
            .filter { !$0.isEmpty && !$0.hasPrefix("#") }
    }

    private static func trimmed(_ line: Substring) -> String {
        String(line.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}

/// A file that is read whole.
enum SmallFile {
    /// Reads it.
    ///
    /// - Throws: ``PaymentsError`` that names the file.
    static func read(_ path: String, bytesMaximum: Int) throws(PaymentsError) -> [UInt8] {
        guard let file = fopen(path, "re") else {
            throw PaymentsError("\(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while case let count = fread(&piece, 1, piece.count, file), count > 0 {
            bytes += piece[..<count]
            guard bytes.count <= bytesMaximum else {
                throw PaymentsError("\(path) is larger than \(bytesMaximum) bytes")
            }
        }
        guard ferror(file) == 0 else { throw PaymentsError("\(path) cannot be read to its end") }
        return bytes
    }
}

/// Why payments cannot run, for whoever starts them.
public struct PaymentsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong and what to do.
    public let description: String

    /// Makes an error.
    public init(_ description: String) { self.description = description }
}
