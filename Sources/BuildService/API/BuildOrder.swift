import Builds
import HTTP
import JSON

/// What a request asks for: the content of `com.openfaas.docker.config`.
///
/// Fields that are not known are passed over, as other builders do; a known field of another type is refused.
struct BuildOrder: Sendable, Hashable {
    /// What the administrator lets requests ask for.
    struct Rules: Sendable, Hashable {
        var platforms: [String]
        var allowedImages: [String] = []
    }

    /// The image's name as the client wrote it; answers repeat it.
    let requestedImage: String
    /// The name to push, its path in lower case.
    let image: ImageReference
    /// Build arguments; values may be empty.
    let arguments: [String: String]
    /// The platforms to build for; empty for that of the node.
    let platforms: [String]
    /// Whether the image is pushed.
    let pushes: Bool

    /// The file may not be larger.
    static let bytesMaximum = 1 << 20
    /// There may not be more build arguments.
    static let argumentsMaximum = 200
    /// One build argument may not be longer: it is an argument of a process (128 KiB on Linux).
    static let argumentBytesMaximum = 64 << 10

    /// The platform of this process, and so of the nodes unless the configuration says more.
    #if arch(arm64)
        static let ownPlatform = "linux/arm64"
    #else
        static let ownPlatform = "linux/amd64"
    #endif

    /// Reads the file.
    init(parsing bytes: [UInt8], rules: Rules) throws(BuildRefusal) {
        let name = BuildContext.configurationName
        let reader = JSONReader(limits: JSONReader.Limits(bytesMaximum: Self.bytesMaximum, depthMaximum: 16))
        let root: JSONValue
        do {
            root = try reader.parse(bytes)
        } catch {
            throw Self.refusal("\(name) is not JSON: \(error)")
        }
        guard root.objectValue != nil else { throw Self.refusal("\(name) must hold a JSON object") }
        // The builder of OpenFaaS Cloud called it `ref`.
        let (named, ancient) = (try Self.text(root, "image"), try Self.text(root, "ref"))
        guard let text = named ?? ancient, !text.isEmpty else {
            throw Self.refusal(
                "\(name) must name an image, as \"image\": \"registry.example.com/team/function:latest\"")
        }
        requestedImage = text
        image = try Self.image(text, rules)
        arguments = try Self.arguments(root)
        platforms = try Self.platforms(root, rules)
        switch root["skipPush"] {
        case nil, .null: pushes = true
        case .bool(let skips): pushes = !skips
        case let other?: throw Self.refusal("\(name): skipPush must be true or false, not \(other.kind)")
        }
    }

    /// The file as it goes into the context: the same order always has the same bytes.
    var normalised: [UInt8] {
        JSONWriter().write([
            "buildArgs": JSONValue(arguments.mapValues { .string($0) }), "image": .string(image.description),
            "platforms": .array(platforms.map { .string($0) }), "skipPush": .bool(!pushes),
        ])
    }

    /// Whether the text has the form of a platform: system, architecture, and maybe a variant.
    static func isPlatform(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return (2...3).contains(parts.count)
            && parts.allSatisfy { part in
                (1...32).contains(part.utf8.count)
                    && part.utf8.allSatisfy { byte in
                        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_")
                            || byte == UInt8(ascii: ".")
                    }
            }
    }

    private static func refusal(_ message: String) -> BuildRefusal { BuildRefusal(.badRequest, message) }

    private static func text(_ root: JSONValue, _ key: String) throws(BuildRefusal) -> String? {
        switch root[key] {
        case nil, .null: return nil
        case .string(let text): return text
        case let other?:
            throw refusal("\(BuildContext.configurationName): \(key) must be a string, not \(other.kind)")
        }
    }

    private static func image(_ text: String, _ rules: Rules) throws(BuildRefusal) -> ImageReference {
        // The path alone: a tag may have capitals, and whoever deploys it writes them.
        var name = text[...]
        var rest = ""
        let slash = text.lastIndex(of: "/") ?? text.startIndex
        if let colon = text[slash...].firstIndex(of: ":") {
            name = text[..<colon]
            rest = String(text[colon...])
        }
        let image: ImageReference
        do {
            image = try ImageReference(parsing: name.lowercased() + rest)
        } catch {
            throw refusal("image: \(error)")
        }
        guard image.digest == nil else { throw refusal("image: what is yet to be built has no digest; give it a tag") }
        let isAllowed =
            rules.allowedImages.isEmpty
            || rules.allowedImages.contains { allowed in
                image.name == allowed || image.name.hasPrefix(allowed.hasSuffix("/") ? allowed : allowed + "/")
            }
        guard isAllowed else {
            throw BuildRefusal(
                .forbidden,
                "image: this builder may not push \(image.name); it may push below \(rules.allowedImages.joined(separator: ", "))"
            )
        }
        return image
    }

    private static func arguments(_ root: JSONValue) throws(BuildRefusal) -> [String: String] {
        let entries: JSONObject
        switch root["buildArgs"] {
        case nil, .null: return [:]
        case .object(let object): entries = object
        case let other?: throw refusal("buildArgs must be an object of strings, not \(other.kind)")
        }
        guard entries.keys.count <= argumentsMaximum else {
            throw refusal("buildArgs has more than \(argumentsMaximum) entries")
        }
        var arguments: [String: String] = [:]
        for (key, value) in entries {
            guard case .string(let text) = value else {
                throw refusal("buildArgs: \(key.debugDescription) must be a string, not \(value.kind)")
            }
            guard !key.isEmpty, key.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "=") }),
                !text.utf8.contains(0), key.utf8.count + text.utf8.count <= argumentBytesMaximum
            else {
                throw refusal(
                    "buildArgs: \(key.prefix(100).debugDescription) is no usable name, or its value is too long")
            }
            arguments[key] = text
        }
        return arguments
    }

    private static func platforms(_ root: JSONValue, _ rules: Rules) throws(BuildRefusal) -> [String] {
        let entries: [JSONValue]
        switch root["platforms"] {
        case nil, .null: return []
        case .array(let array): entries = array
        case let other?: throw refusal("platforms must be an array of strings, not \(other.kind)")
        }
        var platforms: [String] = []
        for entry in entries {
            guard case .string(let text) = entry else {
                throw refusal("platforms must be an array of strings, not one with \(entry.kind)")
            }
            // Clients split an empty option into one empty name.
            guard !text.isEmpty, !platforms.contains(text) else { continue }
            guard rules.platforms.contains(text) else {
                throw refusal(
                    "platforms: \(text.prefix(100).debugDescription) cannot be built here, only "
                        + rules.platforms.joined(separator: ", "))
            }
            platforms.append(text)
        }
        // What the node does anyway needs no saying.
        return platforms == [ownPlatform] ? [] : platforms
    }
}
