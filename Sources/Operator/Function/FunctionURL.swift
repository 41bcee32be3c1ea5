import CRDs
import KubernetesTypes

/// Where callers reach a function.
enum FunctionURL {
    /// Returns the URL: on the owner's host when there is an owner and a root domain, else by object name.
    static func url(of function: Function, _ configuration: FunctionClusterConfiguration) -> String {
        let base =
            configuration.publicURL.last == "/"
            ? String(configuration.publicURL.dropLast()) : configuration.publicURL
        if let identity = function.identity, !configuration.rootDomain.isEmpty,
            DNSName.isLabel(identity.owner.lowercased), DNSName.isLabel(identity.function),
            let (scheme, port) = schemeAndPort(base)
        {
            return "\(scheme)://\(identity.owner.lowercased).\(configuration.rootDomain)\(port)/\(identity.function)"
        }
        return "\(base)/function/\(function.metadata.name).\(function.metadata.namespace)"
    }

    /// The scheme and the port, with its colon, of a URL without path; owners' hosts share them.
    static func schemeAndPort(_ url: String) -> (String, String)? {
        guard let separator = url.firstRange(of: "://") else { return nil }
        let authority = url[separator.upperBound...]
        // A colon inside the brackets of an IPv6 address begins no port.
        let afterAddress = authority.lastIndex(of: "]").map { authority[$0...] } ?? authority
        let port = afterAddress.lastIndex(of: ":").map { String(afterAddress[$0...]) } ?? ""
        return (String(url[..<separator.lowerBound]), port)
    }
}
