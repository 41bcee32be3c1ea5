/// The form of a commit's name in a payload.
enum CommitIdentifier {
    /// Whether `text` is a whole SHA-1 or SHA-256 object name in lower-case hexadecimal.
    static func isValid(_ text: String) -> Bool {
        (text.utf8.count == 40 || text.utf8.count == 64)
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    /// Whether `text` is how a host writes "there is no commit".
    static func isZero(_ text: String) -> Bool { text.utf8.allSatisfy { $0 == UInt8(ascii: "0") } }

    /// What a push made of a branch.
    ///
    /// - Throws: ``PayloadRefusal`` when `after` is no commit.
    static func change(after: String, isDeletion: Bool = false) throws(PayloadRefusal) -> Push.Change {
        guard isValid(after) else {
            throw PayloadRefusal("the payload's 'after' is not a commit: 40 or 64 hexadecimal digits are expected")
        }
        // A deletion carries a commit of zeros; older senders leave the flag out.
        return isDeletion || isZero(after) ? .deletion : .commit(after)
    }

    /// The commit before a push, where there was one.
    static func before(_ text: String?) -> String? {
        text.flatMap { isValid($0) && !isZero($0) ? $0 : nil }
    }
}
