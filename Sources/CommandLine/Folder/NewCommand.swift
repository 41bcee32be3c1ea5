import Builds
import Commands
import Glibc
import JSON

/// `farebox new`.
enum NewCommand {
    static let description = CommandDescription(
        "new", section: .folder, "starts a function in a new folder",
        discussion: """
            Makes a folder with a handler that works and the file that makes it a function:
            a stack.yml, or a funko.yml with a runtime of FaaSO's shape. Where there is a
            stack.yml already the function is added to it. The name of a runtime may be
            shortened: python3 means python3-http.
            """,
        arguments: [
            .init("folder", isOptional: true, completion: .folder, "the new folder; its name is the function's")
        ],
        options: [
            .init("runtime", short: "r", value: "NAME", "the runtime, or dockerfile; list shows which there are"),
            .init("lang", value: "NAME", "the same, in faas-cli's words"),
            .init("list", "show the runtimes there are, and do nothing else"),
            OutputFormat.option, FolderOptions.runtimes,
        ],
        examples: [
            "farebox new --list", "farebox new --runtime python3 hello", "farebox new -r flask quotes",
            "farebox new -r dockerfile anything",
        ])

    /// A stack file may not be larger.
    private static let stackBytesMaximum = 256 << 10

    static func run(_ options: Options, _ console: Console) async throws {
        let catalog = try await FolderOptions(".", options, console).catalog()
        let runtime = options["runtime"] ?? options["lang"]
        if options.has("list") || runtime == "list" {
            return try console.show(finding(catalog), as: try OutputFormat(options))
        }
        let folder = try options.requiredArgument("folder")
        guard let runtime else {
            throw UsageError(
                "--runtime is missing; there are: " + (catalog.names + ["dockerfile"]).joined(separator: ", "))
        }
        let isOwn = runtime.lowercased() == RuntimeCatalog.dockerfile
        let stack = folder.hasPrefix("/") ? nil : try await stackFile()
        let new = try NewFunction(
            folder: folder, runtime: isOwn ? nil : try catalog.meant(by: runtime), stack: stack)
        try await write(new)
        for line in (new.welcome ?? "").split(whereSeparator: \.isNewline) {
            console.note(FoldedText.hanging(TerminalText.line(String(line)), width: console.errorsWidth, indent: 0))
        }
        let next =
            new.changed == nil
            ? "cd \(new.folder) && \(console.program) up"
            : "\(console.program) up --filter "
                + (new.folder.split(separator: "/").last.map(String.init) ?? "")
        console.note("Made \(new.folder). Deploy it: \(next)")
    }

    /// The stack file beside the person.
    private static func stackFile() async throws -> (path: String, text: String)? {
        for name in StackFile.defaultNames {
            guard let bytes = try await SmallFile.read(name, bytesMaximum: stackBytesMaximum) else { continue }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw CommandFailure(.failed, "\(name) is not UTF-8")
            }
            return (name, text)
        }
        return nil
    }

    private static func write(_ new: NewFunction) async throws {
        guard access(new.folder, F_OK) != 0 else {
            throw CommandFailure(.failed, "\(new.folder) is there already", advice: "choose another name")
        }
        for file in new.files {
            try await SmallFile.create(file.path, file.bytes, isExecutable: file.isExecutable)
        }
        if let changed = new.changed { try await SmallFile.replace(changed.path, with: Array(changed.text.utf8)) }
    }

    /// What is shown of the runtimes.
    static func finding(_ catalog: RuntimeCatalog) -> Finding {
        var table = Table(["NAME", Table.Column("DESCRIPTION", isProse: true)])
        for runtime in catalog.all { table.add([Table.Cell(runtime.name), Table.Cell(runtime.summary)]) }
        table.add([Table.Cell(RuntimeCatalog.dockerfile), "A Dockerfile of your own"])
        let items: [JSONValue] = catalog.all.map { runtime in
            [
                "name": .string(runtime.name), "description": .string(runtime.summary ?? ""),
                "source": .string(runtime.source),
            ]
        }
        return Finding(
            table: table, value: .array(items), names: catalog.names + [RuntimeCatalog.dockerfile],
            absence: "There are no runtimes.")
    }
}
