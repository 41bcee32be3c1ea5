/// The forms that names of commits and branches may have before they reach `git`.
public enum GitRevision {
    /// A branch name may not be longer.
    public static let branchBytesMaximum = 244  // 255 of a file name, less `refs/heads/`.

    /// Tells whether the text is a full commit name (40 or 64 lower-case hex digits) and not the all-zero one.
    ///
    /// All zeros is what Git hosts send for "this branch is gone".
    public static func isCommit(_ text: String) -> Bool {
        let bytes = text.utf8
        return (bytes.count == 40 || bytes.count == 64)
            && bytes.allSatisfy { ASCII.isDigit($0) || (0x61...0x66).contains($0) }
            && !bytes.allSatisfy { $0 == UInt8(ascii: "0") }
    }

    /// Tells whether Git would take the text as a branch name (`git check-ref-format --branch`).
    public static func isBranch(_ text: String) -> Bool {
        let bytes = text.utf8
        guard (1...branchBytesMaximum).contains(bytes.count), bytes.first != ASCII.dash, text != "@" else {
            return false
        }
        guard bytes.allSatisfy({ $0 > 0x20 && $0 != 0x7F && !"~^:?*[\\".utf8.contains($0) }) else { return false }
        guard !text.contains(".."), !text.contains("@{"), !text.hasSuffix(".") else { return false }
        return text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
            !$0.isEmpty && !$0.hasPrefix(".") && !$0.hasSuffix(".lock")
        }
    }
}
