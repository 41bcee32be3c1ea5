import CRDs

/// The annotation by which clients of OpenFaaS' REST API say what a function listens on: the API has no field for it.
public enum PortAnnotation {
    /// Its key.
    public static let key = FareboxLabel.group + "/port"

    /// The port; nil where the annotation is absent.
    ///
    /// - Throws: ``Invalid`` for what is no port.
    public static func port(_ annotations: [String: String]) throws(Invalid) -> Int32? {
        guard let text = annotations[key] else { return nil }
        guard let port = Int32(text), (1...65_535).contains(port) else { throw Invalid() }
        return port
    }

    /// A value that means nothing.
    public struct Invalid: Error, Sendable, Hashable {
        /// What it must be, to be read behind the key.
        public var message: String { "must be a port from 1 to 65535" }
    }
}
