import Commands
import JSON
import KubernetesTypes
import YAML

/// The form in which a command shows what it found.
enum OutputFormat: String, CaseIterable, Sendable {
    /// For people.
    case table
    /// For people with a broad terminal.
    case wide
    /// For programs.
    case json
    /// For files.
    case yaml
    /// Names only, one a line.
    case name

    /// The option that chooses.
    static let option = CommandDescription.Option(
        "output", short: "o", value: "FORMAT", completion: .words(allCases.map(\.rawValue)),
        "table, wide, json, yaml or name (default table)")

    /// Reads the option.
    ///
    /// - Throws: `UsageError`.
    init(_ options: Options) throws(UsageError) {
        let name = try options.choice("output", of: Self.allCases.map(\.rawValue))
        self = name.flatMap(Self.init(rawValue:)) ?? .table
    }
}

/// What a command found, for every form.
struct Finding: Sendable {
    /// For people.
    let table: Table
    /// For programs: objects as the API server has them.
    let value: JSONValue
    /// One name each, such as `function.farebox.dev/hello`.
    let names: [String]
    /// What to say where there is nothing.
    let absence: String

    /// Makes a finding.
    init(table: Table, value: JSONValue, names: [String], absence: String = "") {
        self.table = table
        self.value = value
        self.names = names
        self.absence = absence
    }

    /// An object of which only the metadata was asked for.
    static func metadataOnly(_ descriptor: ResourceDescriptor, _ metadata: ObjectMeta) -> JSONValue {
        var value: JSONValue = ["apiVersion": .string(descriptor.apiVersion), "kind": .string(descriptor.kind)]
        value["metadata"] = try? JSONWriter().value(of: metadata)
        return value
    }

    /// Objects as a list, as kubectl prints them.
    static func list(_ items: [JSONValue]) -> JSONValue {
        ["apiVersion": "v1", "kind": "List", "items": .array(items)]
    }
}

extension Console {
    /// Shows a finding.
    ///
    /// - Throws: An error of the writer, which no value from the API server can cause.
    func show(_ finding: Finding, as format: OutputFormat) throws {
        switch format {
        case .table, .wide:
            guard !finding.names.isEmpty || finding.absence.isEmpty else { return note(finding.absence) }
            write(Array(finding.table.text(isWide: format == .wide, hasColors: hasColors, width: width).utf8))
        case .json: say(JSONWriter(style: .pretty).string(finding.value))
        case .yaml: write(try YAMLWriter().encode(finding.value))
        case .name: finding.names.forEach { say($0) }
        }
    }
}
