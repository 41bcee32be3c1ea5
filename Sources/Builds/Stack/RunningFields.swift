import CRDs
import KubernetesTypes
import Timing
import YAML

/// Reads the fields that say how a function runs: the same ones in a stack file and in a `funko.yml`.
struct RunningFields {
    let rules: StackRules
    /// What is set and not acted on, each with its place.
    private(set) var ignored: [String] = []

    /// The keys it reads.
    static let keys: Set<String> = [
        "environment", "environment_file", "secrets", "labels", "annotations", "limits", "requests",
        "readonly_root_filesystem",
    ]

    init(rules: StackRules) {
        self.rules = rules
    }

    /// Reads all of them into a function.
    ///
    /// - Parameters:
    ///   - fields: The function's mapping.
    ///   - function: Gets what is read.
    ///   - files: The contents of environment files by path.
    mutating func read(
        _ fields: AuthorFields, into function: inout StackFunction, files: EnvironmentFiles
    ) throws(BuildFailure) {
        function.environment = try fields.map("environment")
        function.environment.merge(try files.variables(for: fields)) { _, file in file }
        function.secrets = try secrets(fields)
        function.resources = try resources(fields)
        function.readOnlyRootFilesystem = try fields.boolean("readonly_root_filesystem")
        try readLabels(fields, &function)
        try readAnnotations(fields, &function)
        try check(fields, function)
    }

    /// Notes that a field does nothing here.
    mutating func ignore(_ name: String, _ location: YAMLLocation, _ reason: String? = nil) {
        ignored.append("\(name) (\(location)\(reason.map { ": " + $0 } ?? ""))")
    }

    private func secrets(_ fields: AuthorFields) throws(BuildFailure) -> [String] {
        guard let value = fields.something("secrets") else { return [] }
        guard let elements = value.elements else {
            throw fields.invalid("secrets", "\(fields.name("secrets")) must be a list of names")
        }
        var names: [String] = []
        for element in elements {
            guard let name = element.text, DNSName.isSubdomain(name) else {
                throw fields.invalid(element.location, "\(fields.name("secrets")): this is no name for a Secret")
            }
            guard !names.contains(name) else {
                throw fields.invalid(element.location, "\(fields.name("secrets")) names \(name) twice")
            }
            names.append(name)
        }
        return names
    }

    private func resources(_ fields: AuthorFields) throws(BuildFailure) -> FunctionResources? {
        let limits = try amounts(fields, "limits")
        let requests = try amounts(fields, "requests")
        return limits == nil && requests == nil ? nil : FunctionResources(requests: requests, limits: limits)
    }

    private func amounts(_ fields: AuthorFields, _ key: String) throws(BuildFailure) -> FunctionResourceAmounts? {
        guard let amounts = try fields.fields(key, with: "cpu and memory") else { return nil }
        return FunctionResourceAmounts(
            cpu: try amounts.quantity("cpu", atMost: rules.cpuMaximum),
            memory: try amounts.quantity("memory", atMost: rules.memoryMaximum))
    }

    // MARK: - Labels and annotations

    private mutating func readLabels(
        _ fields: AuthorFields, _ function: inout StackFunction
    ) throws(BuildFailure) {
        let all = try fields.map("labels")
        let places = AuthorFields(
            file: fields.file, path: fields.name("labels"), node: fields.node["labels"] ?? fields.node)
        var scaling = ScaleLabels(all)
        do throws(ScaleLabels.Invalid) {
            function.scale = try scaling.scale(replicasMaximum: rules.replicasMaximum)
        } catch {
            throw places.invalid(error.key, "\(places.name(error.key)) \(error.message)")
        }
        for note in scaling.ignored { ignore(places.name(note.key), places.location(note.key), note.reason) }
        function.labels = allowed(all, "labels", fields, isField: ScaleLabels.isOne, isAllowed: rules.allowsLabel)
    }

    private mutating func readAnnotations(
        _ fields: AuthorFields, _ function: inout StackFunction
    ) throws(BuildFailure) {
        let all = try fields.map("annotations")
        function.health = HealthAnnotations.health(all)
        do throws(RetryAnnotations.Invalid) {
            function.async = try RetryAnnotations.calls(all)
        } catch {
            let name = "\(fields.name("annotations")).\(error.key)"
            throw fields.invalid(
                fields.node["annotations"]?[error.key]?.location ?? fields.node.location, "\(name) \(error.message)")
        }
        if let pointer = all[Self.paymentPointerAnnotation] {
            guard FunctionPayment.isPointer(pointer) else {
                throw fields.invalid(
                    fields.node["annotations"]?[Self.paymentPointerAnnotation]?.location ?? fields.node.location,
                    "\(fields.name("annotations")).\(Self.paymentPointerAnnotation) must be a payment pointer such as "
                        + "$wallet.example.com/alice")
            }
            function.paymentPointer = pointer
        }
        function.annotations = allowed(
            all, "annotations", fields,
            isField: {
                HealthAnnotations.isOne($0) || RetryAnnotations.isOne($0) || $0 == Self.paymentPointerAnnotation
            },
            isAllowed: rules.allowsAnnotation)
    }

    private static let paymentPointerAnnotation = StackFunction.paymentPointerAnnotation

    /// What may go onto pods; what became a field of the Function is not told as ignored.
    private mutating func allowed(
        _ all: [String: String], _ key: String, _ fields: AuthorFields, isField: (String) -> Bool,
        isAllowed: (String) -> Bool
    ) -> [String: String] {
        for name in all.keys.sorted() where !isAllowed(name) && !isField(name) {
            guard let value = fields.node[key]?[name] else { continue }
            ignore("\(fields.name(key)).\(name)", value.location)
        }
        return all.filter { isAllowed($0.key) }
    }

    // MARK: - Rules of Functions

    /// The rules that every Function has: an author is told about them before anything is built.
    private func check(_ fields: AuthorFields, _ function: StackFunction) throws(BuildFailure) {
        // Neither the owner nor the image is known here, and neither is the author's mistake.
        let spec = function.specification(owner: OwnerName("owner"), image: "image", source: FunctionSource())
        let violations = Function(metadata: ObjectMeta(name: function.name), spec: spec).validate()
        guard let violation = violations.first else { return }
        let place = Self.location(of: violation.path, fields)
        let name = fields.path.isEmpty ? "" : fields.path + ": "
        throw fields.invalid(place, "\(name)\(Self.short(violation.path)): \(violation.message)")
    }

    private static func short(_ path: String) -> String {
        path.hasPrefix("spec.") ? String(path.dropFirst("spec.".count)) : path
    }

    /// Where in the file a field of the Function came from.
    private static func location(of path: String, _ fields: AuthorFields) -> YAMLLocation {
        let sources = [
            ("spec.resources.limits", "limits"), ("spec.resources.requests", "requests"),
            ("spec.environment", "environment"),
            ("spec.secrets", "secrets"), ("spec.scale", "labels"), ("spec.labels", "labels"),
            ("spec.health", "annotations"), ("spec.async", "annotations"),
            ("spec.annotations", "annotations"), ("spec.payment", "annotations"),
        ]
        guard let (prefix, key) = sources.first(where: { path.hasPrefix($0.0) }), let node = fields.node[key] else {
            return fields.node.location
        }
        let rest = path.dropFirst(prefix.count).drop { $0 == "." }
        return node.mapping?.entry(String(rest))?.keyLocation ?? node.location
    }
}
