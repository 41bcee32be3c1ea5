import FoundationEssentials
import Testing

@testable import Webhook

/// The payloads in `Payloads`, shaped like those that hosts send: `<host>/<event>[.<case>].json`.
struct Sample: Sendable, CustomTestStringConvertible {
    let host: GitHostKind
    /// The file's name without `.json`.
    let name: String

    var testDescription: String { "\(host.rawValue)/\(name)" }

    /// What the host names the event in its header.
    var event: String { name.split(separator: ".").first.map(String.init) ?? name }

    static let folder = "/" + #filePath.split(separator: "/").dropLast(2).joined(separator: "/")

    /// Every payload there is.
    static let all: [Sample] = GitHostKind.allCases.flatMap { host -> [Sample] in
        let files = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/Payloads/\(host.rawValue)")) ?? []
        return files.sorted().filter { $0.hasSuffix(".json") }.map { Sample(host: host, name: String($0.dropLast(5))) }
    }

    func bytes() throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: "\(Self.folder)/Payloads/\(host.rawValue)/\(name).json")))
    }

    static func vectors(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: "\(folder)/Vectors/\(name).json")))
    }
}
