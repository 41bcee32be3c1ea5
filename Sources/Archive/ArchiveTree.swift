/// The paths that an archive has had so far, and what may be added to them.
///
/// The rules keep whoever unpacks the archive inside one directory: nothing goes through a link, no path changes from
/// link to directory or back, and each link leads to a place inside.
struct ArchiveTree {
    private enum Kind {
        case file
        case directory
        case link
    }

    private var kinds: [ArchivePath: Kind] = [:]

    mutating func add(_ path: ArchivePath, _ kind: TarEntry.Kind) throws(ArchiveError) {
        try addParents(of: path)
        switch kind {
        case .file:
            try set(path, .file)
        case .directory:
            try set(path, .directory)
        case .symbolicLink(let target):
            _ = try path.resolving(linkTarget: target)
            try set(path, .link)
        case .hardLink(let target):
            guard kinds[try ArchivePath(target)] == .file else {
                throw .unsafeEntry(path: path.text, reason: "a hard link to what is no earlier file")
            }
            try set(path, .file)
        }
    }

    private mutating func addParents(of path: ArchivePath) throws(ArchiveError) {
        var parent = path.parent
        while let directory = parent, !directory.components.isEmpty {
            switch kinds[directory] {
            case .directory: return  // Its own parents are known.
            case nil: kinds[directory] = .directory
            case .file, .link:
                throw .unsafeEntry(path: path.text, reason: "inside of what is no directory")
            }
            parent = directory.parent
        }
    }

    private mutating func set(_ path: ArchivePath, _ kind: Kind) throws(ArchiveError) {
        guard !path.components.isEmpty || kind == .directory else {
            throw .unsafeEntry(path: path.text, reason: "the root that is no directory")
        }
        guard kinds[path] == nil || (kinds[path] == .directory && kind == .directory) else {
            throw .unsafeEntry(path: path.text, reason: "a path that is there twice")
        }
        kinds[path] = kind
    }
}
