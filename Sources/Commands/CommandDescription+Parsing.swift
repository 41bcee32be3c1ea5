extension CommandDescription {
    /// Reads the words after the command.
    ///
    /// Options and arguments may be mixed; after `--` every word is an argument. `-o json`, `-ojson`, `--output json` and
    /// `--output=json` mean the same. An option that is given twice counts as said last, unless it may be repeated.
    ///
    /// - Throws: `UsageError` for an unknown option, an option without its value, a word too much or one that is missing.
    public func parse(_ words: [String]) throws(UsageError) -> Options {
        var reading = Reading(rest: words[...])
        while let word = reading.rest.popFirst() {
            if word == "--" {
                reading.words += reading.rest
                break
            }
            if word == "--help" || word == "-h" { return Options(wantsHelp: true) }
            if word.hasPrefix("--") {
                try takeLong(word, &reading)
            } else if word.hasPrefix("-"), word.count > 1 {
                try takeShort(word, &reading)
            } else {
                reading.words.append(word)
            }
        }
        return Options(reading.values, arguments: try placed(reading.words))
    }

    /// What was read so far.
    private struct Reading {
        var rest: ArraySlice<String>
        var values: [String: [String]] = [:]
        var words: [String] = []

        mutating func set(_ option: Option, _ value: String) {
            if option.isRepeated {
                values[option.name, default: []].append(value)
            } else {
                values[option.name] = [value]
            }
        }
    }

    private func takeLong(_ word: String, _ reading: inout Reading) throws(UsageError) {
        let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let typed = parts.first.map(String.init) ?? ""
        guard let option = options.first(where: { $0.name == typed }) else {
            if let reason = refusedOptions[typed] { throw UsageError("\(name): --\(typed): \(reason)") }
            throw unknown(word, similar: Spelling.nearest(to: typed, in: options.map(\.name)).map { "--" + $0 })
        }
        guard option.value != nil else {
            guard parts.count == 1 else { throw UsageError("\(name): --\(option.name) takes no value") }
            return reading.set(option, "")
        }
        reading.set(option, try parts.count == 2 ? String(parts[1]) : valueOf(option, &reading))
    }

    /// Reads letters after one dash: flags, of which the last one may take a value.
    private func takeShort(_ word: String, _ reading: inout Reading) throws(UsageError) {
        var letters = word.dropFirst()
        while let letter = letters.popFirst() {
            guard let option = options.first(where: { $0.short == letter }) else { throw unknown(word, similar: nil) }
            guard option.value != nil else {
                reading.set(option, "")
                continue
            }
            if letters.first == "=" { letters = letters.dropFirst() }
            return reading.set(option, try letters.isEmpty ? valueOf(option, &reading) : String(letters))
        }
    }

    private func valueOf(_ option: Option, _ reading: inout Reading) throws(UsageError) -> String {
        guard let value = reading.rest.popFirst() else {
            throw UsageError("\(name): --\(option.name) needs a value (\(option.value ?? ""))")
        }
        return value
    }

    /// Gives each word its place.
    private func placed(_ words: [String]) throws(UsageError) -> [String: [String]] {
        var left = words[...]
        var placed: [String: [String]] = [:]
        for argument in arguments {
            let taken = argument.isRepeated ? left : left.prefix(1)
            left = left.dropFirst(taken.count)
            guard !taken.isEmpty else {
                if argument.isOptional { continue }
                throw UsageError("\(name): <\(argument.name)> is missing: \(argument.summary)", command: name)
            }
            placed[argument.name] = Array(taken)
        }
        if let word = left.first { throw unknown(word, similar: nil) }
        return placed
    }

    private func unknown(_ word: String, similar: String?) -> UsageError {
        let guess = similar.map { "; did you mean \($0)?" } ?? ""
        return UsageError("\(name): unknown argument '\(Shown.word(word))'\(guess)", command: name)
    }
}
