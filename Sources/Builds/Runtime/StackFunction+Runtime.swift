import CRDs

extension StackFunction {
    /// The build argument with the packages of the chosen options and of `build_args`, sorted, each once.
    private static let packages = RuntimeManifest.packagesArgument
    /// What FaaSO's functions listen on (`facts/builder-and-faaso.md` §4.1).
    private static let faasoPort: Int32 = 3000
    private static let faasoHealthPath = "/ping"
    /// What the watchdogs of OpenFaaS templates, and all of Farebox's own, answer when they work.
    private static let openFaaSHealthPath = "/_/health"

    /// The function with what its runtime decides: packages, process, port, health path.
    ///
    /// What the author set stays.
    ///
    /// - Parameters:
    ///   - runtime: Its runtime; nil when it has a Dockerfile of its own.
    ///   - arguments: Build arguments for all functions, for the packages among them.
    /// - Throws: ``BuildFailure`` with `StackInvalid` for a build option that the runtime does not have.
    public func adapted(to runtime: Runtime?, arguments: [String: String] = [:]) throws(BuildFailure) -> StackFunction {
        guard let runtime else { return self }
        var result = self
        switch runtime.kind {
        case .faaso:
            result.port = port ?? Self.faasoPort
            result.setHealthPath(Self.faasoHealthPath)
        case .openFaaS(let manifest):
            // A funko.yml may name such a runtime too; its usual port and path are not this one's.
            if port == Self.faasoPort { result.port = nil }
            if health?.path == Self.faasoHealthPath { result.health?.path = nil }
            let isSet = process != nil || environment[Self.processVariable] != nil
            result.process = isSet ? process : manifest.process
            result.setHealthPath(Self.openFaaSHealthPath)
            var packages: Set<String> = []
            for option in buildOptions {
                guard let known = manifest.buildOptions.first(where: { $0.name == option }) else {
                    let names = manifest.buildOptions.map(\.name).joined(separator: ", ")
                    throw BuildFailure(
                        .stackInvalid,
                        "function \(name): the runtime \(runtime.name) has no build option '\(option.prefix(80))' in its "
                            + "\(RuntimeManifest.fileName); known: \(names.isEmpty ? "none" : names)")
                }
                packages.formUnion(known.packages)
            }
            for text in [arguments[Self.packages], buildArguments[Self.packages]] {
                packages.formUnion((text ?? "").split(whereSeparator: \.isWhitespace).map(String.init))
            }
            if !packages.isEmpty {
                result.buildArguments[Self.packages] = packages.sorted().joined(separator: " ")
            }
        }
        return result
    }
    /// Sets the path to ask, unless the author named one.
    private mutating func setHealthPath(_ path: String) {
        var health = health ?? FunctionHealth()
        health.path = health.path ?? path
        self.health = health
    }
}
