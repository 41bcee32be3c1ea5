import JSON

/// The files that BuildKit reads in the build pod.
enum BuildKitFiles {
    /// Plain-http registries and mirrors, for `buildkitd.toml`.
    ///
    /// It covers FROM, push and cache.
    static func daemonConfiguration(_ configuration: BuildConfiguration) -> String {
        let insecure = Set(configuration.insecureRegistries)
        var text = ""
        for (registry, mirror) in configuration.mirrors.sorted(by: { $0.key < $1.key }) {
            text += "[registry.\(quoted(registry))]\n  mirrors = [\(quoted(mirror))]\n"
            if insecure.contains(registry) { text += "  http = true\n" }
        }
        for registry in insecure.subtracting(configuration.mirrors.keys).sorted() {
            text += "[registry.\(quoted(registry))]\n  http = true\n"
        }
        return text
    }

    /// The source policy: the context's URL must have exactly this content, else the build fails before any step.
    static func sourcePolicy(url: String, digest: String) -> [UInt8] {
        let rule: JSONValue = [
            "action": "CONVERT",
            "selector": ["identifier": .string(url)],
            "updates": ["attrs": ["http.checksum": .string("sha256:" + digest)]],
        ]
        return JSONWriter().write(["rules": [rule]])
    }

    /// A TOML basic string (TOML 1.0, Strings).
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\" + String(scalar)
            case let scalar where scalar.value < 0x20 || scalar.value == 0x7F: break
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
