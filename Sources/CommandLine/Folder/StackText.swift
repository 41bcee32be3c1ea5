import Builds
import Commands

/// The text of a stack file, to which functions are added while everything that somebody wrote stays as it is.
enum StackText {
    /// What a new function's entry says.
    struct Addition: Sendable, Hashable {
        /// Its name.
        var name: String
        /// Its runtime.
        var runtime: String
        /// Its folder, from the file.
        var handler: String
    }

    /// A new stack file with one function.
    static func new(_ addition: Addition) -> String {
        "version: 1.0\nprovider:\n  name: openfaas\nfunctions:\n" + entry(addition, indent: "  ")
    }

    /// Adds a function behind the others.
    ///
    /// - Throws: `CommandFailure` when the file has the name already, or no list of functions that could be gone on with.
    static func adding(_ addition: Addition, to text: String, path: String) throws(CommandFailure) -> String {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        func refusal(_ reason: String) -> CommandFailure {
            CommandFailure(
                .failed, "\(path): \(reason)",
                advice: "add it by hand:\n" + entry(addition, indent: "  "))
        }
        guard let start = lines.firstIndex(where: { $0.hasPrefix("functions:") }) else {
            throw refusal("it has no line 'functions:' at the left")
        }
        let inline = lines[start].dropFirst("functions:".count).drop { $0 == " " }
        guard inline.isEmpty || inline.hasPrefix("#") else { throw refusal("its functions are written on one line") }
        var end = start + 1
        var last = start
        var indent: String?
        while end < lines.count {
            let line = lines[end]
            let first = line.first { $0 != " " && $0 != "\t" }
            if let first, first != "#", line.first == first { break }
            if let first, first != "#" {
                last = end
                if indent == nil { indent = String(line.prefix { $0 == " " }) }
            }
            end += 1
        }
        let added = entry(addition, indent: indent ?? "  ")
        let own = (indent ?? "  ") + addition.name + ":"
        guard !lines[start..<end].contains(where: { $0.hasPrefix(own) }) else {
            throw CommandFailure(.failed, "\(path) has a function \(addition.name) already")
        }
        lines.insert(contentsOf: added.split(separator: "\n").map(String.init), at: last + 1)
        var result = lines.joined(separator: "\n")
        if !result.hasSuffix("\n") { result += "\n" }
        return result
    }

    private static func entry(_ addition: Addition, indent: String) -> String {
        """
        \(indent)\(addition.name):
        \(indent)  lang: \(addition.runtime)
        \(indent)  handler: \(addition.handler)
        \(indent)  image: \(addition.name)

        """
    }
}
