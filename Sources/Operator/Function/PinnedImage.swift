import Synchronization

/// An image reference and the digest it stands for.
///
/// The pinned form keeps what was asked for before the `@`, tag and all (`registry/alex/hello:1.0@sha256:…`): people see
/// the tag, runtimes follow the digest, and we see by it whether `spec.image` is still the one that was pinned.
struct PinnedImage: Hashable, Sendable {
    /// The reference with its digest.
    let reference: String

    /// Takes a reference that names its digest.
    ///
    /// - Returns: `nil` when it does not.
    init?(pinned reference: String) {
        guard reference.contains("@sha256:") else { return nil }
        self.reference = reference
    }

    /// Pins a reference without digest.
    init(_ requested: String, digest: String) {
        reference = "\(requested)@\(digest)"
    }

    /// The reference as it was asked for, without the digest that was added.
    var requested: String {
        guard let at = reference.firstIndex(of: "@") else { return reference }
        return String(reference[..<at])
    }

    /// The image that a function should run, if it is known without asking the registry: the one it names by digest, or
    /// the one that its tag was pinned to before.
    init?(known requested: String, previous: String?) {
        if let pinned = PinnedImage(pinned: requested) {
            self = pinned
        } else if let previous, let pinned = PinnedImage(pinned: previous), pinned.requested == requested {
            self = pinned
        } else {
            return nil
        }
    }
}

/// The digests that this process looked up, until the watch brings them back in status.
///
/// Without it a pass that reads a Function from before its last status would look the tag up again, and could find another
/// image than the one that is being rolled out. Forgetting is safe as soon as the status is there.
final class ResolvedImages: Sendable {
    /// Functions remembered at most; beyond that all are forgotten, and at worst a tag is looked up once more.
    private static let entriesMaximum = 20_000

    private struct Entry {
        let image: PinnedImage
        /// Which asking the image was looked up for; nil where nobody asks more than once.
        let asked: String?
    }

    private let entries = Mutex<[String: Entry]>([:])

    /// The image that was looked up for a Function, if it is the one it asks for.
    ///
    /// - Parameter asked: Which asking it is.
    func image(for requested: String, uid: String, asked: String? = nil) -> PinnedImage? {
        entries.withLock { $0[uid] }.flatMap { $0.asked == asked && $0.image.requested == requested ? $0.image : nil }
    }

    func remember(_ image: PinnedImage, uid: String, asked: String? = nil) {
        entries.withLock { entries in
            if entries.count >= Self.entriesMaximum { entries.removeAll() }
            entries[uid] = Entry(image: image, asked: asked)
        }
    }
}
