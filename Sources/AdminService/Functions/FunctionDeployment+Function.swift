import Builds
import CRDs
import HTTP
import KubernetesTypes
import Timing

extension FunctionDeployment {
    /// Makes a Function what the client wants it to be; fields that OpenFaaS knows nothing of stay as they are.
    ///
    /// - Parameters:
    ///   - function: A new Function, or the one there is.
    ///   - rules: What functions may set on this cluster.
    ///   - now: When the client asked.
    /// - Returns: What was asked for and is not acted on, for the client's user.
    /// - Throws: ``AdminRefusal`` that names the field.
    func apply(
        to function: inout Function, rules: StackRules, now: Timestamp = .now
    ) throws(AdminRefusal) -> [String] {
        var notes = ignored.map { "\($0): nothing acts on it" }
        let before = ClientRecord(annotation: function.metadata.annotations[FareboxAnnotation.client])
        let record = ClientRecord(self)
        function.metadata.annotations[FareboxAnnotation.client] = record.annotation
        // A tag may stand for another image by now: a client that deploys again wants to see it.
        function.metadata.annotations[FareboxAnnotation.deployedAt] = now.rfc3339(.microseconds)
        function.spec.image = image
        function.spec.environment = environment
        if let process { function.spec.environment[Self.processVariable] = process }
        function.spec.secrets = secrets
        function.spec.resources = try resources(rules)
        function.spec.readOnlyRootFilesystem = readOnlyRootFilesystem
        if let scale = try scale(labels, rules, &notes) {
            function.spec.scale = scale
        } else if before.labels.keys.contains(where: ScaleLabels.isOne) {
            // What an earlier deployment asked for goes; what somebody set in the object stays.
            function.spec.scale = nil
        }
        if let health = HealthAnnotations.health(annotations) {
            function.spec.health = health
        } else if before.annotations.keys.contains(where: HealthAnnotations.isOne) {
            function.spec.health = nil
        }
        let concurrency = function.spec.async?.concurrency
        if var calls = try retries() {
            calls.concurrency = concurrency
            function.spec.async = calls
        } else if before.annotations.keys.contains(where: RetryAnnotations.isOne) {
            function.spec.async = concurrency.map { FunctionAsync(concurrency: $0) }
        }
        if let port = try port() {
            function.spec.port = port
        } else if before.annotations[PortAnnotation.key] != nil {
            function.spec.port = nil
        }
        try applyPaymentPointer(to: &function)
        function.spec.labels = labels.filter { rules.allowsLabel($0.key) }
        function.spec.annotations = annotations.filter {
            $0.key != PortAnnotation.key && rules.allowsAnnotation($0.key)
        }
        for key in labels.keys.sorted() where !rules.allowsLabel(key) && !ScaleLabels.isOne(key) {
            notes.append("labels.\(key): is kept, and not set on pods")
        }
        for key in annotations.keys.sorted()
        where !rules.allowsAnnotation(key) && !HealthAnnotations.isOne(key) && !RetryAnnotations.isOne(key)
            && key != Self.paymentPointerAnnotation && key != PortAnnotation.key
        {
            notes.append("annotations.\(key): is kept, and not set on pods")
        }
        if !constraints.isEmpty { notes.append("constraints: nothing acts on them") }
        try check(function)
        return notes
    }

    /// The variable by which a watchdog learns what to start.
    static let processVariable = StackFunction.processVariable
    private static let paymentPointerAnnotation = StackFunction.paymentPointerAnnotation
    /// An object's annotations may hold 256 KiB together.
    private static let recordBytesMaximum = 128 << 10

    private func retries() throws(AdminRefusal) -> FunctionAsync? {
        do throws(RetryAnnotations.Invalid) {
            return try RetryAnnotations.calls(annotations)
        } catch {
            throw AdminRefusal(.badRequest, "annotations.\(error.key) \(error.message)")
        }
    }

    private func port() throws(AdminRefusal) -> Int32? {
        do throws(PortAnnotation.Invalid) {
            return try PortAnnotation.port(annotations)
        } catch {
            throw AdminRefusal(.badRequest, "annotations.\(PortAnnotation.key) \(error.message)")
        }
    }

    private func scale(
        _ labels: [String: String], _ rules: StackRules, _ notes: inout [String]
    ) throws(AdminRefusal) -> FunctionScale? {
        var reader = ScaleLabels(labels)
        do throws(ScaleLabels.Invalid) {
            let scale = try reader.scale(replicasMaximum: rules.replicasMaximum)
            notes += reader.ignored.map { "labels.\($0.key): \($0.reason)" }
            return scale
        } catch {
            throw AdminRefusal(.badRequest, "labels.\(error.key) \(error.message)")
        }
    }

    private func resources(_ rules: StackRules) throws(AdminRefusal) -> FunctionResources? {
        for (name, amounts) in [("limits", limits), ("requests", requests)] {
            for (key, amount, maximum) in [
                ("cpu", amounts?.cpu, rules.cpuMaximum), ("memory", amounts?.memory, rules.memoryMaximum),
            ] {
                guard let amount, let maximum, amount > maximum else { continue }
                throw AdminRefusal(
                    .badRequest, "\(name).\(key): \(amount) is above this cluster's maximum of \(maximum)")
            }
        }
        return limits == nil && requests == nil ? nil : FunctionResources(requests: requests, limits: limits)
    }

    private func applyPaymentPointer(to function: inout Function) throws(AdminRefusal) {
        guard let pointer = annotations[Self.paymentPointerAnnotation] else { return }
        guard FunctionPayment.isPointer(pointer) else {
            throw AdminRefusal(
                .badRequest,
                "annotations.\(Self.paymentPointerAnnotation) must be a payment pointer such as $wallet.example.com/alice"
            )
        }
        var payment = function.spec.payment ?? FunctionPayment()
        payment.paymentPointer = pointer
        function.spec.payment = payment
    }

    /// The rules that every Function has: the client is told about them before anything is written.
    private func check(_ function: Function) throws(AdminRefusal) {
        if let record = function.metadata.annotations[FareboxAnnotation.client],
            record.utf8.count > Self.recordBytesMaximum
        {
            throw AdminRefusal(.badRequest, "labels and annotations are larger than \(Self.recordBytesMaximum) bytes")
        }
        let violations = function.validate()
        guard violations.isEmpty else { throw AdminRefusal(.badRequest, violations.summary()) }
    }
}
