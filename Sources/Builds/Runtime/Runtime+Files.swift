import CRDs

extension Runtime {
    /// What the runtime puts into a context, before the handler's files come.
    ///
    /// - Parameters:
    ///   - name: The function's name, for templates.
    ///   - options: What the author set, for templates.
    /// - Throws: ``BuildFailure`` with `ContextInvalid` and the template's file and line.
    func files(for name: String, options: [String: RuntimeOption]) throws(BuildFailure) -> [RuntimeFile] {
        guard kind == .faaso else { return files }
        let variables: [String: JinjaValue] = [
            "name": .text(name), "runtime": .text(self.name), "options": .map(options.mapValues { JinjaValue($0) }),
        ]
        var result: [RuntimeFile] = []
        for file in files where !file.path.hasPrefix(Self.sampleFolder + "/") {
            guard file.isTemplate else {
                result.append(file)
                continue
            }
            let path = String(file.path.dropLast(RuntimeFile.templateSuffix.count))
            do {
                let bytes = try JinjaTemplate(file.bytes).render(variables)
                result.append(RuntimeFile(path: path, bytes: bytes, isExecutable: file.isExecutable))
            } catch {
                throw BuildFailure(
                    .contextInvalid, "function \(name): \(file.path) of the runtime \(self.name), \(error)")
            }
        }
        return result
    }
}
