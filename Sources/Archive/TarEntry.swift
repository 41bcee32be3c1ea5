/// One entry of an archive that was read and found harmless.
public struct TarEntry: Sendable, Hashable {
    /// What an entry can be.
    public enum Kind: Sendable, Hashable {
        /// A file with content.
        case file
        /// A directory.
        case directory
        /// A symbolic link and what it says; it leads to a place inside the archive.
        case symbolicLink(target: String)
        /// Another name of a file that came before, by its path.
        case hardLink(to: String)
    }

    /// The path: relative, without `.` and `..`; only the root directory is `.`.
    public let path: String
    /// What the entry is.
    public let kind: Kind
    /// The bytes of a file's content; 0 for all else.
    public let size: Int64
    /// Whether the owner may run the file.
    ///
    /// All other mode bits, set-user-ID among them, are not passed on.
    public let isExecutable: Bool
}
