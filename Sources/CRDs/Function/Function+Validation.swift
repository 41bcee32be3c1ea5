import JSON
import KubernetesTypes
import Timing

extension Function {
    /// Returns the rules that the Function breaks and that the schema cannot express, in the order of the fields.
    ///
    /// Rules that depend on the cluster's configuration are the Function controller's. Nothing set is ever ignored: a field
    /// that nothing acts on yet is a violation too, of kind `notSupportedYet`.
    ///
    /// - Parameter allowsPointerPorts: Whether payment pointers may have a port and a numeric host.
    public func validate(allowsPointerPorts: Bool = false) -> [Violation] {
        spec.imageViolations() + spec.environmentViolations() + spec.secretViolations()
            + spec.resourceViolations() + spec.scaleViolations() + spec.egressViolations() + spec.durationViolations()
            + spec.asyncViolations()
            + spec.domainViolations() + spec.metadataViolations()
            + (spec.payment?.violations(path: "spec.payment", allowsPorts: allowsPointerPorts) ?? [])
    }
}

extension FunctionSpec {
    fileprivate func imageViolations() -> [Violation] {
        let parts = image.split(separator: "@", omittingEmptySubsequences: false)
        guard let name = parts.first, !name.isEmpty else {
            return [Violation(path: "spec.image", message: "is empty; name the image to run")]
        }
        var violations: [Violation] = []
        let repository = name.split(separator: "/", omittingEmptySubsequences: false).dropFirst().joined(separator: "/")
        if repository.contains(where: \.isUppercase), !repository.contains(":") {
            violations.append(
                Violation(
                    path: "spec.image",
                    message: "\(image) has capitals in the repository's name; registries refuse them"))
        }
        if parts.count > 2 || (parts.count == 2 && !Self.isDigest(parts[1])) {
            violations.append(
                Violation(
                    path: "spec.image",
                    message: "the part after @ must be a digest: sha256: and 64 hexadecimal digits in lower case"))
        }
        return violations
    }

    private static func isDigest(_ text: Substring) -> Bool {
        guard text.hasPrefix("sha256:") else { return false }
        let digits = text.dropFirst("sha256:".count)
        return digits.utf8.count == 64
            && digits.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    fileprivate func environmentViolations() -> [Violation] {
        var violations = environment.keys.sorted().filter { !Self.isVariableName($0) }.map {
            Violation(
                path: "spec.environment.\($0)",
                message: "is no name for a variable; use letters, digits, '_', '-' and '.', and begin with no digit")
        }
        let bytes = environment.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
        if bytes > FunctionLimits.environmentBytesMaximum {
            violations.append(
                Violation(
                    path: "spec.environment",
                    message: "holds \(bytes) bytes; at most \(FunctionLimits.environmentBytesMaximum) are allowed"))
        }
        return violations
    }

    /// The API server's rule for names of environment variables before 1.30, which newer servers still take.
    private static func isVariableName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(0x30...0x39).contains(first), name != ".", name != "..",
            !name.hasPrefix("..")
        else { return false }
        return name.utf8.count <= 253
            && name.utf8.allSatisfy {
                switch $0 {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    fileprivate func secretViolations() -> [Violation] {
        secrets.enumerated().filter { !DNSName.isSubdomain($0.element) }.map {
            Violation(path: "spec.secrets[\($0.offset)]", message: "\"\($0.element)\" is no name for a Secret")
        }
    }

    fileprivate func resourceViolations() -> [Violation] {
        func check(_ name: String, _ amounts: KeyPath<FunctionResourceAmounts, Quantity?>) -> [Violation] {
            let request = resources?.requests?[keyPath: amounts]
            let limit = resources?.limits?[keyPath: amounts]
            var violations: [Violation] = []
            if let request, request.isNegative {
                violations.append(Violation(path: "spec.resources.requests.\(name)", message: "\(request) is negative"))
            }
            if let limit, limit <= Quantity(0) {
                violations.append(
                    Violation(path: "spec.resources.limits.\(name)", message: "\(limit) leaves nothing to run with"))
            }
            if let request, let limit, limit < request {
                violations.append(
                    Violation(
                        path: "spec.resources.requests.\(name)", message: "\(request) is above the limit of \(limit)"))
            }
            return violations
        }
        return check("cpu", \.cpu) + check("memory", \.memory)
    }

    fileprivate func scaleViolations() -> [Violation] {
        guard let scale else { return [] }
        var violations: [Violation] = []
        let least = scale.min ?? FunctionScale.minDefault
        if let most = scale.max, most < least {
            violations.append(Violation(path: "spec.scale.max", message: "\(most) is below spec.scale.min (\(least))"))
        }
        if scale.targetConcurrency != nil, scale.max == nil, least > FunctionScale.maxDefault {
            violations.append(
                Violation(
                    path: "spec.scale.max",
                    message: "is needed: without it load adds replicas up to \(FunctionScale.maxDefault) only"))
        }
        violations += [
            DurationField.violation(scale.idleAfter, path: "spec.scale.idleAfter", in: FunctionLimits.idleAfter),
            DurationField.violation(scale.downAfter, path: "spec.scale.downAfter", in: FunctionLimits.downAfter),
        ].compactMap { $0 }
        if scale.idleAfter != nil, least > 0 {
            violations.append(
                Violation(
                    path: "spec.scale.idleAfter",
                    message: "means nothing while spec.scale.min keeps \(least) running; set spec.scale.min to 0"))
        }
        if scale.downAfter != nil, scale.targetConcurrency == nil {
            violations.append(
                Violation(
                    path: "spec.scale.downAfter",
                    message: "means nothing without spec.scale.targetConcurrency; set that too, or leave it out"))
        }
        if scale.waitingPage == true, scale.idleAfter == nil {
            violations.append(
                Violation(
                    path: "spec.scale.waitingPage",
                    message: "means nothing without spec.scale.idleAfter; set that too, or leave it out"))
        }
        return violations
    }

    fileprivate func egressViolations() -> [Violation] {
        if case .malformed(let value) = egress {
            return [
                Violation(
                    path: "spec.egress",
                    message:
                        "is \(value.kind) that means nothing here; write Internet, None or a list of blocks of addresses"
                )
            ]
        }
        guard case .ranges(let ranges) = egress else { return [] }
        if ranges.isEmpty {
            return [
                Violation(path: "spec.egress", message: "is an empty list; write None, Internet or blocks of addresses")
            ]
        }
        return ranges.enumerated().filter { AddressRange($0.element) == nil }.map {
            Violation(
                path: "spec.egress[\($0.offset)]",
                message: """
                    "\($0.element)" is no block of addresses; write it like 198.51.100.0/24 or 2001:db8::/32, with no bit \
                    set behind the prefix
                    """)
        }
    }

    fileprivate func durationViolations() -> [Violation] {
        [
            DurationField.violation(
                health?.initialDelay, path: "spec.health.initialDelay", in: FunctionLimits.initialDelay),
            DurationField.violation(health?.timeout, path: "spec.health.timeout", in: FunctionLimits.healthTimeout),
            DurationField.violation(
                health?.startTimeout, path: "spec.health.startTimeout", in: FunctionLimits.startTimeout),
            DurationField.violation(timeout, path: "spec.timeout", in: FunctionLimits.timeout),
        ].compactMap { $0 }
    }

    fileprivate func asyncViolations() -> [Violation] {
        guard let async else { return [] }
        let path = "spec.async"
        var violations = [
            async.concurrency.flatMap { Self.violation($0, path: "\(path).concurrency", in: 1...1000) },
            async.attempts.flatMap { Self.violation($0, path: "\(path).attempts", in: 1...100) },
            DurationField.violation(
                async.retryMinimum, path: "\(path).retryMinimum", in: FunctionLimits.retryMinimum),
            DurationField.violation(
                async.retryMaximum, path: "\(path).retryMaximum", in: FunctionLimits.retryMaximum),
        ].compactMap { $0 }
        violations += (async.retryStatuses ?? []).enumerated().compactMap { index, status in
            Self.violation(status, path: "\(path).retryStatuses[\(index)]", in: 400...599)
        }
        if let least = async.retryMinimum.flatMap({ Duration(goStyle: $0) }),
            let most = async.retryMaximum.flatMap({ Duration(goStyle: $0) }), least > most
        {
            violations.append(
                Violation(path: "\(path).retryMaximum", message: "is less than \(path).retryMinimum"))
        }
        return violations
    }

    private static func violation(_ number: Int32, path: String, in range: ClosedRange<Int32>) -> Violation? {
        guard !range.contains(number) else { return nil }
        return Violation(
            path: path, message: "is \(number); it must be from \(range.lowerBound) to \(range.upperBound)")
    }

    fileprivate func domainViolations() -> [Violation] {
        domains.enumerated().filter { !DomainName.isValid($0.element) }.map {
            Violation(
                path: "spec.domains[\($0.offset)]",
                message: "\"\($0.element)\" is no domain; write it in lower case, like shop.example.com")
        }
    }

    fileprivate func metadataViolations() -> [Violation] {
        func check(_ field: String, _ map: [String: String], _ isValue: (String) -> Bool) -> [Violation] {
            map.sorted { $0.key < $1.key }.compactMap { key, value in
                let path = "spec.\(field).\(key)"
                if !LabelKey.isValid(key) { return Violation(path: path, message: "is no key for \(field)") }
                if ReservedMetadata.isReserved(key) {
                    return Violation(path: path, message: "belongs to the platform and cannot be set; leave it out")
                }
                return isValue(value) ? nil : Violation(path: path, message: "\"\(value)\" is no value for \(field)")
            }
        }
        return check("labels", labels, LabelValue.isValid) + check("annotations", annotations) { _ in true }
    }
}
