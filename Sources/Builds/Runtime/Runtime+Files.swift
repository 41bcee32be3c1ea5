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
            result.append(try rendered(file, for: name, variables))
        }
        return result
    }

    /// What a new function of it starts from: the sample handler of an OpenFaaS template, the rendered `template/` of a
    /// FaaSO runtime.
    ///
    /// - Parameter name: The function's name, for templates.
    /// - Returns: Files by their paths inside the function's folder; none when the runtime brings no sample.
    /// - Throws: ``BuildFailure`` with `ContextInvalid` and the template's file and line.
    public func sample(for name: String) throws(BuildFailure) -> [RuntimeFile] {
        let folder = kind == .faaso ? Self.sampleFolder : handlerFolder
        guard !folder.isEmpty else { return [] }
        let variables: [String: JinjaValue] = ["name": .text(name), "runtime": .text(self.name), "options": .map([:])]
        var result: [RuntimeFile] = []
        for file in files where file.path.hasPrefix(folder + "/") {
            let full = kind == .faaso ? try rendered(file, for: name, variables) : file
            var bytes = full.bytes
            // Jinja takes the last newline away, which a file for people should have.
            if file.bytes.last == ASCII.newline, let last = bytes.last, last != ASCII.newline {
                bytes.append(ASCII.newline)
            }
            result.append(
                RuntimeFile(
                    path: String(full.path.dropFirst(folder.count + 1)), bytes: bytes, isExecutable: full.isExecutable))
        }
        return result
    }

    private func rendered(
        _ file: RuntimeFile, for name: String, _ variables: [String: JinjaValue]
    ) throws(BuildFailure) -> RuntimeFile {
        guard file.isTemplate else { return file }
        do {
            return RuntimeFile(
                path: String(file.path.dropLast(RuntimeFile.templateSuffix.count)),
                bytes: try JinjaTemplate(file.bytes).render(variables), isExecutable: file.isExecutable)
        } catch {
            throw BuildFailure(
                .contextInvalid, "function \(name): \(file.path) of the runtime \(self.name), \(error)")
        }
    }
}
