/// Where and how callers connect by TLS.
public struct GatewayTLS: Sendable, Equatable {
    /// Where Secrets with certificates are mounted.
    public static let folderDefault = "/etc/farebox-tls"

    /// The folder with the certificates: `tls.crt` and `tls.key` in it, and in each folder in it.
    public var folder = folderDefault
    /// The namespace whose Secrets of the type `kubernetes.io/tls` are shown too; nil where none are.
    public var secretsNamespace: String? = "farebox-certificates"
    /// The port; 0 lets the kernel choose.
    public var port: UInt16 = 8443
    /// Whether HTTP/2 is offered beside HTTP/1.1.
    public var offersHTTP2 = true
    /// Whether callers who come without TLS are sent to `https://` (308).
    public var redirects = false
    /// The port in the URLs that callers are sent to, where it is not 443.
    public var publicPort: UInt16 = 443

    /// Takes the defaults given above.
    public init() {}
}
