/// Finds the digest that an image reference stands for now.
public protocol ImageResolver: Sendable {
    /// Asks the registry.
    ///
    /// - Parameter reference: An image reference without digest, such as `registry.example.com/alex/hello:1.0`.
    /// - Returns: The digest of the manifest or index: `sha256:` and 64 hexadecimal digits.
    /// - Throws: ``ImageResolverError``, `CancellationError`.
    func digest(of reference: String) async throws -> String
}

/// Why a reference does not lead to a digest; the message never holds credentials.
public struct ImageResolverError: Error, Hashable, CustomStringConvertible {
    /// What the registry, or the way to it, said, and what to do.
    public let description: String

    /// Makes an error.
    public init(_ description: String) {
        self.description = description
    }
}
