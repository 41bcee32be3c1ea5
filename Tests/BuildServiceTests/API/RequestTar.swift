import Builds
import Cryptography

/// A tar written byte by byte, so that it may hold what no library writes.
struct RequestTar: Sendable {
    private(set) var body: [UInt8] = []

    /// A good request: the configuration first and one Dockerfile.
    static func good(image: String = "registry.test/team/fn:1", dockerfile: String = "FROM scratch\n") -> RequestTar {
        var tar = RequestTar()
        tar.configuration(#"{"image":"\#(image)","buildArgs":{}}"#)
        tar.directory("context")
        tar.file("context/Dockerfile", dockerfile)
        return tar
    }

    /// The archive with its end.
    var bytes: [UInt8] { body + [UInt8](repeating: 0, count: 1024) }

    mutating func configuration(_ json: String) { file(BuildContext.configurationName, json) }

    mutating func file(_ name: String, _ content: String, mode: String = "0000644") {
        file(name, Array(content.utf8), mode: mode)
    }

    mutating func file(_ name: String, _ content: [UInt8], mode: String = "0000644") {
        header(name, "0", size: content.count, mode: mode)
        body += content
        body += [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    /// Without a slash at the end, as the SDK of OpenFaaS writes it.
    mutating func directory(_ name: String) { header(name, "5", mode: "0000700") }

    mutating func entry(_ name: String, _ kind: Character, link: String = "") { header(name, kind, link: link) }

    private mutating func header(
        _ name: String, _ kind: Character, size: Int = 0, link: String = "", mode: String = "0000644"
    ) {
        func field(_ text: String, _ width: Int) -> [UInt8] {
            Array(text.utf8.prefix(width)) + [UInt8](repeating: 0, count: max(0, width - text.utf8.count))
        }
        func octal(_ value: Int, _ digits: Int) -> String {
            let text = String(value, radix: 8)
            return String(repeating: "0", count: digits - text.utf8.count) + text
        }
        var block = field(name, 100) + field(mode, 8) + field("0001750", 8) + field("0001750", 8)
        block += field(octal(size, 11), 12) + field(octal(1_760_000_000, 11), 12) + field("        ", 8)
        block +=
            field(String(kind), 1) + field(link, 100) + field("ustar\u{0}00", 8) + field("me", 32) + field("me", 32)
        block += [UInt8](repeating: 0, count: 512 - block.count)
        let sum = block.reduce(0) { $0 + Int($1) }
        block.replaceSubrange(148..<156, with: field(octal(sum, 6) + "\u{0} ", 8))
        body += block
    }
}
