/// With what a request is signed by AWS Signature Version 4.
///
/// libcurl makes the signature. It signs the URL as it is given: the path must be percent-encoded, and the query's parameters
/// must be sorted by name, each with `=`. For S3 the field `x-amz-content-sha256` with the digest of the body is the
/// caller's to add; libcurl signs it.
///
/// Source: AWS Signature Version 4 for API requests; libcurl's CURLOPT_AWS_SIGV4.
public struct AWSSignature: Sendable, Hashable {
    /// Which key signs; it is sent.
    public let accessKeyID: String
    /// The key; it is not sent.
    public let secretAccessKey: String
    /// Such as `eu-central-1`.
    public let region: String
    /// Such as `s3`.
    public let service: String

    /// Makes a signature's parameters.
    ///
    /// - Returns: nil when a part is empty, or when region or service hold anything but letters, digits and `-`.
    public init?(accessKeyID: String, secretAccessKey: String, region: String, service: String) {
        let isWord: (String) -> Bool = { text in
            !text.isEmpty
                && text.utf8.allSatisfy { byte in
                    byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
                        || (0x61...0x7A).contains(byte)
                }
        }
        guard !accessKeyID.isEmpty, !secretAccessKey.isEmpty, isWord(region), isWord(service) else { return nil }
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.region = region
        self.service = service
    }
}

extension AWSSignature: CustomStringConvertible, CustomReflectable {
    /// Whose key, never the key.
    public var description: String { "AWSSignature(\(accessKeyID), \(region), \(service))" }
    /// Whose key, never the key.
    public var customMirror: Mirror { Mirror(self, children: ["summary": description]) }
}
