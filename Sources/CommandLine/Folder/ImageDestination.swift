import Builds
import Commands

/// Where the image of a function goes.
enum ImageDestination {
    /// Returns the name to push, without a tag.
    ///
    /// A registry that was named counts, then one that the stack's own `image` names by its host, then the cluster's, where each
    /// namespace has a path of its own.
    ///
    /// - Parameters:
    ///   - image: The `image` of the stack, without its tag.
    ///   - namespace: Where the function will be.
    ///   - named: A registry with a path that somebody named.
    ///   - cluster: The prefix that the cluster pushes to; one that ends in a slash has flat names.
    /// - Throws: `CommandFailure` when nothing says where.
    static func name(
        image: String, namespace: String, named: String?, cluster: String?
    ) throws(CommandFailure) -> String {
        let last = (image.split(separator: "/").last.map(String.init) ?? image).lowercased()
        if let named { return trimmed(named).lowercased() + "/" + last }
        if hasHost(image) { return image }
        guard let cluster, !cluster.isEmpty else {
            throw CommandFailure(
                .failed, "it is not known where the image \(image) should go",
                advice: "name the registry: --registry registry.example.com/alice, or registry: in "
                    + FolderSettings.fileName)
        }
        return cluster.hasSuffix("/")
            ? cluster.lowercased() + namespace + "-" + last : cluster.lowercased() + "/" + namespace + "/" + last
    }

    /// Whether a name begins with a registry's host: `docker.io/…`, `localhost/…`, `registry:5000/…`.
    static func hasHost(_ image: String) -> Bool {
        guard let slash = image.firstIndex(of: "/") else { return false }
        let first = image[..<slash]
        return first == "localhost" || first.contains(".") || first.contains(":")
    }

    private static func trimmed(_ text: String) -> String {
        var text = Substring(text)
        while text.last == "/" { text.removeLast() }
        return String(text)
    }
}
