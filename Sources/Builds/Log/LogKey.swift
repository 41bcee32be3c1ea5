public import CRDs
import KubernetesTypes

/// Where the log of one build is kept: `<owner>/<repository>/<commit>/<function>/build.log`.
///
/// Every part is made safe for a path and for a URL, so that no part can reach out of its place: the owner is in lower
/// case, and every byte but ASCII letters, digits, `-`, `_` and inner dots is written as `%XX`. Two different keys have
/// different paths. Repositories of other namespaces than the installation's own have `@<namespace>/` before it: whoever
/// may create Repositories there can name any owner, and must not get into that owner's logs.
public struct LogKey: Hashable, Sendable, CustomStringConvertible {
    /// The namespace of the Repository; nil for the installation's own.
    public let namespace: String?
    /// Whose repository.
    public let owner: OwnerName
    /// The repository's short name at the Git host.
    public let repository: String
    /// The full commit.
    public let commit: String
    /// The function's name in the stack.
    public let function: String
    /// The key as it is stored, without a slash at either end.
    public let path: String

    /// The last part of each stored key.
    public static let fileName = "build.log"
    /// An encoded part may not be longer: it becomes a file's name.
    static let partBytesMaximum = 200

    /// Makes a key.
    ///
    /// - Parameter namespace: nil for the installation's own namespace.
    /// - Returns: nil when a part is empty or too long, the namespace is none, or the commit is no hex number.
    public init?(namespace: String? = nil, owner: OwnerName, repository: String, commit: String, function: String) {
        guard Self.isCommit(commit),
            let prefix = LogPrefix(namespace: namespace, owner: owner, repository: repository),
            let commitPart = Self.part(commit), let functionPart = Self.part(function)
        else { return nil }
        self.namespace = namespace
        self.owner = owner
        self.repository = repository
        self.commit = commit
        self.function = function
        path = prefix.path + commitPart + "/" + functionPart + "/" + Self.fileName
    }

    /// The key as it is stored.
    public var description: String { path }

    /// The path of the log in the API, after its prefix: the parts are percent-encoded as a URL wants them.
    public var urlPath: String { String(path.dropLast(Self.fileName.utf8.count + 1)) }

    /// Reads a key from the path of a request.
    ///
    /// - Parameter parts: The segments after the prefix, as they were sent.
    /// - Returns: nil for anything that is no key.
    public init?(urlParts parts: [Substring]) {
        guard (4...5).contains(parts.count) else { return nil }
        var decoded: [String] = []
        for part in parts {
            guard part.utf8.count <= Self.partBytesMaximum * 3, let text = PercentEncoding.decode(part),
                // No name holds a control character; a part that does would also break the lines of our logs.
                text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
            else { return nil }
            decoded.append(text)
        }
        var namespace: String?
        if decoded.count == 5 {
            let first = decoded.removeFirst()
            guard first.first == "@" else { return nil }
            namespace = String(first.dropFirst())
        }
        self.init(
            namespace: namespace, owner: OwnerName(decoded[0]), repository: decoded[1], commit: decoded[2],
            function: decoded[3])
    }

    private static func isCommit(_ text: String) -> Bool {
        (7...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { ASCII.isDigit($0) || (0x61...0x66).contains($0) }
    }

    /// One part of the path; nil when it is empty or too long.
    static func part(_ text: String) -> String? {
        var result: [UInt8] = []
        for byte in text.utf8 {
            let isSafe =
                ASCII.isAlphanumeric(byte) || byte == ASCII.dash || byte == ASCII.underscore
                || (byte == ASCII.dot && !result.isEmpty)
            if isSafe {
                result.append(byte)
            } else {
                result += [UInt8(ascii: "%"), hexDigit(byte >> 4), hexDigit(byte & 15)]
            }
            guard result.count <= partBytesMaximum else { return nil }
        }
        return result.isEmpty ? nil : String(decoding: result, as: UTF8.self)
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }
}

/// Everything that is kept of one owner, or of one repository.
public struct LogPrefix: Hashable, Sendable, CustomStringConvertible {
    /// What the keys begin with; it ends with a slash, so that `alex` never covers `alex-ellis`.
    public let path: String

    /// Makes a prefix.
    ///
    /// - Parameters:
    ///   - namespace: nil for the installation's own namespace.
    ///   - repository: nil for all of the owner's.
    /// - Returns: nil when a part is empty or too long, or the namespace is none.
    public init?(namespace: String? = nil, owner: OwnerName, repository: String? = nil) {
        var path = ""
        if let namespace {
            guard DNSName.isLabel(namespace) else { return nil }
            path = "@\(namespace)/"
        }
        guard let ownerPart = LogKey.part(owner.lowercased) else { return nil }
        path += ownerPart + "/"
        if let repository {
            guard let part = LogKey.part(repository) else { return nil }
            path += part + "/"
        }
        self.path = path
    }

    /// The prefix as it is compared.
    public var description: String { path }
}
