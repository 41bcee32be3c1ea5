/// The manual page, in the macros of man(7), made of the same text as the help.
public struct ManualPage: Sendable {
    private let tree: CommandTree
    private let version: String

    /// Makes the page of all commands.
    ///
    /// - Parameters:
    ///   - tree: The commands.
    ///   - version: The executable's.
    public init(_ tree: CommandTree, version: String) {
        self.tree = tree
        self.version = version
    }

    /// The page's source, for `man -l -`.
    public var text: String {
        var page = #".TH FAREBOX 1 "" "farebox \#(Self.escaped(version))" "Farebox""# + "\n"
        page += ".SH NAME\nfarebox \\- functions of your own on a Kubernetes cluster\n"
        page += ".SH SYNOPSIS\n.B farebox\n.I command\n[\\fIoptions\\fR]\n"
        page += """
            .SH DESCRIPTION
            Makes functions with a URL of folders and of pushes to Git, calls them, and looks after them, on a cluster
            with Farebox. The cluster is found as kubectl finds it: \\-\\-kubeconfig, the variable KUBECONFIG, or
            ~/.kube/config; what you may do is what your account may do there.

            """
        for section in CommandSection.allCases {
            let commands = tree.subcommands.map(\.description).filter { $0.section == section }
            guard !commands.isEmpty else { continue }
            page += ".SH \(Self.escaped(section.rawValue))\n" + commands.map(Self.part).joined()
        }
        page += ".SH EXIT STATUS\n"
        for code in ExitCode.allCases { page += ".TP\n.B \(code.rawValue)\n\(Self.escaped(code.meaning))\n" }
        page += ".SH SEE ALSO\n.BR kubectl (1)\n"
        return page
    }

    /// The part of one command.
    private static func part(_ command: CommandDescription) -> String {
        var part = ".SS farebox \(escaped(command.synopsis))\n\(sentence(command.summary))\n"
        if !command.aliases.isEmpty {
            part += ".PP\nAlso: \(escaped(command.aliases.map { "farebox \($0)" }.joined(separator: ", ")))\n"
        }
        if !command.discussion.isEmpty { part += ".PP\n" + paragraphs(command.discussion) }
        for argument in command.arguments {
            part += ".TP\n.I \(escaped(argument.name))\n\(line(argument.summary))\n"
        }
        for (name, summary) in command.optionRows {
            let name = String(name.drop { $0 == " " })
            part += ".TP\n.B \(escaped(name))\n\(line(summary))\n"
        }
        if !command.examples.isEmpty {
            part += ".PP\n.nf\n" + command.examples.map { "    \(escaped($0))\n" }.joined() + ".fi\n"
        }
        return part
    }

    /// Text whose indented lines are shown as they are.
    private static func paragraphs(_ text: String) -> String {
        var page = ""
        var isFixed = false
        for row in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let fixed = row.hasPrefix("  ")
            if fixed != isFixed { page += fixed ? ".PP\n.nf\n" : ".fi\n.PP\n" }
            isFixed = fixed
            page += row.isEmpty ? ".PP\n" : line(String(row)) + "\n"
        }
        return page + (isFixed ? ".fi\n" : "")
    }

    private static func sentence(_ text: String) -> String {
        let text = text.prefix(1).uppercased() + text.dropFirst()
        return line(text.hasSuffix(".") ? text : text + ".")
    }

    /// A line of text; one that begins with a dot or an apostrophe would be a request to the formatter.
    private static func line(_ text: String) -> String {
        let text = escaped(text)
        return text.hasPrefix(".") || text.hasPrefix("'") ? "\\&" + text : text
    }

    /// Text in which nothing means anything to the formatter.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "\\": escaped += "\\e"
            case "-": escaped += "\\-"
            case "\"": escaped += "\\(dq"
            case "…": escaped += "..."
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
