import CRDs

/// Which images of a Repository are kept, and which nothing needs any more.
///
/// Of each function the image that runs and some before it are kept, so that one can go back. What falls out of that, and
/// the images of functions that left the stack, are retired: remembered in the status until the registry has removed them.
struct ImageRetention: Sendable {
    /// How many images are kept beside the one that runs.
    let keeps: Int

    /// Brings the images of the status before into the status after.
    func carry(_ before: RepositoryStatus, into after: inout RepositoryStatus) {
        var retired = before.retiredImages
        let old = Dictionary(before.functions.map { ($0.name, $0) }) { first, _ in first }
        for index in after.functions.indices {
            let entry = after.functions[index]
            var previous = entry.previousImages
            if let known = old[entry.name] { previous += [known.image].compactMap { $0 } + known.previousImages }
            previous = Self.unique(previous.filter { $0 != entry.image })
            after.functions[index].previousImages = Array(previous.prefix(keeps))
            retired += previous.dropFirst(keeps)
        }
        let names = Set(after.functions.map(\.name))
        for entry in before.functions where !names.contains(entry.name) {
            retired += [entry.image].compactMap { $0 } + entry.previousImages
        }
        let kept = Set(after.functions.flatMap { [$0.image].compactMap { $0 } + $0.previousImages })
        after.retiredImages = Array(
            Self.unique(retired.filter { !kept.contains($0) }).suffix(RepositoryStatus.retiredImagesMaximum))
    }

    /// All images that a Repository's status names as needed.
    static func needed(by status: RepositoryStatus?) -> [String] {
        status?.functions.flatMap { [$0.image].compactMap { $0 } + $0.previousImages } ?? []
    }

    private static func unique(_ images: [String]) -> [String] {
        var seen: Set<String> = []
        return images.filter { seen.insert($0).inserted }
    }
}
