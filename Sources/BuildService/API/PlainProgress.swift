import Builds
import KubernetesTypes
import Timing

/// Turns BuildKit's plain log into the lines that builders of this API send.
///
/// `v:` is a step, as it begins and as it ends; `s:` is how far something is; `l:` is what a step prints. Each has its time
/// after that. Clients show the lines and never read them, so what is not understood is passed on as `l:`.
struct PlainProgress: Sendable {
    private var names: [Int: String] = [:]

    /// A Dockerfile has not so many steps.
    private static let stepsMaximum = 2000

    /// The lines for one line of the log; often one, sometimes none.
    mutating func take(_ line: LogLine) -> [String] {
        let time = Timestamp(rfc3339: line.time)?.rfc3339() ?? Timestamp.now.rfc3339()
        let text = String(decoding: line.text, as: UTF8.self) + (line.isCut ? "… (cut)" : "")
        guard let (step, rest) = Self.step(text) else { return text.isEmpty ? [] : ["l: \(time) \(text)"] }
        guard !rest.isEmpty, rest != "..." else { return [] }
        guard let name = names[step] else {
            if names.count >= Self.stepsMaximum { names = [:] }
            names[step] = String(rest)
            return ["v: \(time) \(rest)"]
        }
        if let seconds = Self.seconds(rest, after: "DONE ") { return ["v: \(time) \(name) \(seconds)s"] }
        if rest == "CACHED" { return ["v: \(time) \(name) CACHED"] }
        if rest.hasPrefix("ERROR") { return ["v: \(time) \(name) \(rest)"] }
        // The plain log tells a step's name again when it comes back to it.
        if rest == name { return [] }
        if let space = rest.firstIndex(of: " "), Self.isNumber(rest[..<space]) {
            return ["l: \(time) \(rest[rest.index(after: space)...])"]
        }
        return ["s: \(time) \(rest)"]
    }

    /// `#12 rest`.
    private static func step(_ text: String) -> (Int, Substring)? {
        guard text.hasPrefix("#") else { return nil }
        let digits = text.dropFirst().prefix { $0.isASCII && $0.isNumber }
        guard (1...6).contains(digits.count), let number = Int(digits) else { return nil }
        let rest = text[digits.endIndex...]
        guard rest.isEmpty || rest.hasPrefix(" ") else { return nil }
        return (number, rest.drop { $0 == " " })
    }

    /// The seconds of `DONE 1.2s`, with two digits after the point.
    private static func seconds(_ text: Substring, after prefix: String) -> String? {
        guard text.hasPrefix(prefix), text.hasSuffix("s") else { return nil }
        let number = text.dropFirst(prefix.count).dropLast()
        guard isNumber(number) else { return nil }
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        let fraction = parts.count == 2 ? String(parts[1].prefix(2)) : ""
        return "\(parts[0]).\(fraction)\(String(repeating: "0", count: 2 - fraction.count))"
    }

    private static func isNumber(_ text: Substring) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return (1...2).contains(parts.count)
            && parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
    }
}
