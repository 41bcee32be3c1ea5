/// A Dockerfile that needs nothing but its folder: build arguments become defaults, variables become part of the image.
enum StandaloneDockerfile {
    /// Rewrites a Dockerfile.
    ///
    /// - Parameters:
    ///   - bytes: The file.
    ///   - arguments: Build arguments; each `ARG` of the name, whatever stage it is in, gets the value.
    ///   - variables: What the platform would set when the function runs.
    static func rewritten(
        _ bytes: [UInt8], arguments: [String: String], variables: [String: String]
    ) -> [UInt8] {
        guard let text = String(validating: bytes, as: UTF8.self), !(arguments.isEmpty && variables.isEmpty) else {
            return bytes
        }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        for index in lines.indices {
            guard let name = argument(lines[index]), let value = arguments[name] else { continue }
            lines[index] = "ARG \(name)=\(quoted(value))"
        }
        var result = lines.joined(separator: "\n")
        if !variables.isEmpty {
            if !result.hasSuffix("\n") { result += "\n" }
            result += "# What the function's settings say.\n"
            for (name, value) in variables.sorted(by: { $0.key < $1.key }) {
                result += "ENV \(name)=\(quoted(value))\n"
            }
        }
        return Array(result.utf8)
    }

    /// The one name that an `ARG` line declares; nil for any other line.
    private static func argument(_ line: String) -> String? {
        let words = line.split(whereSeparator: \.isWhitespace)
        guard words.count >= 2, words[0].uppercased() == "ARG", !line.hasSuffix("\\") else { return nil }
        // `ARG A="x y"` has more than two words, `ARG A B` declares two names: only the first is one declaration.
        guard words.count == 2 || words[1].contains("=") else { return nil }
        return words[1].split(separator: "=", maxSplits: 1).first.map(String.init)
    }

    /// A value in double quotes, with what has a meaning there taken away; lines cannot be broken inside.
    private static func quoted(_ value: String) -> String {
        var text = "\""
        for character in value {
            switch character {
            case "\\", "\"", "$": text += "\\" + String(character)
            case let other where other.isNewline: text += " "
            case let other: text.append(other)
            }
        }
        return text + "\""
    }
}
