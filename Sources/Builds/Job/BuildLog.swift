import CRDs

/// Reads the plain log of a build (`--progress=plain`), as upstream's BuildKit and its Debian stand-in write it.
public enum BuildLog {
    /// How many lines of a failed build's log are shown in status.
    public static let tailLinesMaximum = 20

    /// Says why a build failed, from the end of its log.
    ///
    /// - Parameters:
    ///   - log: The last lines, oldest first.
    ///   - exitCode: Of the container; a failed step gives 1 whatever its own code was.
    /// - Returns: A reason, and one line for people.
    public static func failure(in log: String, exitCode: Int32) -> BuildFailure {
        let lines = log.split(whereSeparator: \.isNewline).map(String.init)
        let summary = summary(of: lines) ?? "exit code \(exitCode)"
        func has(_ parts: String...) -> Bool { parts.contains { log.contains($0) } }

        if has("failed to push", "failed to export the cache", "error writing manifest", "error writing layer") {
            return push(log, summary)
        }
        if has("failed to read downloaded context", "/artifacts/sha256-")
            && has(
                "digest mismatch", "invalid response",
                "failed to read downloaded context", "failed to load", "dial tcp", "connection refused")
        {
            return BuildFailure(.contextFetchFailed, "the builder could not fetch the source: \(summary)")
        }
        if let step = lines.last(where: {
            $0.contains("did not complete successfully") || $0.contains("executor failed")
        }) {
            if has("exit code: 137"), has("Out of memory", "OOM", "Killed") {
                return BuildFailure(.outOfMemory, "a step needed more memory than a build may have")
            }
            return BuildFailure(.stepFailed, "a step of the Dockerfile failed: \(String(step.prefix(400)))")
        }
        if has("failed to read dockerfile") { return BuildFailure(.dockerfileMissing, "there is no Dockerfile") }
        if has("failed to solve", "failed to resolve source metadata", "dockerfile parse error") {
            return unsolved(log, summary)
        }
        return BuildFailure(.builderFailed, "the builder ended with code \(exitCode): \(summary)")
    }

    /// The line that says why, and where it says nothing but that it failed, the cause that was printed before it.
    private static func summary(of lines: [String]) -> String? {
        let isError = { (line: String) in
            line.contains("failed to solve") || line.hasPrefix("error:") || line.hasPrefix("ERROR:")
        }
        guard let index = lines.lastIndex(where: isError) else { return lines.last.map { String($0.prefix(400)) } }
        var summary = lines[index]
        // BuildKit 0.8 prints the causes of an error on lines of their own, the last one's before it.
        if summary.hasSuffix("failed to solve"), index > 0, !lines[index - 1].hasPrefix("---") {
            summary += ": " + lines[index - 1]
        }
        return String(summary.prefix(400))
    }

    private static func push(_ log: String, _ summary: String) -> BuildFailure {
        let isDenied = [
            "401", "403", "unauthorized", "Unauthorized", "denied", "authentication required",
            "no basic auth credentials",
        ]
        .contains { log.contains($0) }
        return isDenied
            ? BuildFailure(.registryAuthFailed, "the registry refused the push; check its credentials: \(summary)")
            : BuildFailure(.pushFailed, "the image could not be pushed: \(summary)")
    }

    private static func unsolved(_ log: String, _ summary: String) -> BuildFailure {
        let isUnreachable = [
            "no such host", "i/o timeout", "connection refused", "network is unreachable",
            "server misbehaving", "TLS handshake timeout",
        ]
        .contains { log.contains($0) }
        return isUnreachable && log.contains("resolve")
            ? BuildFailure(.registryUnreachable, "a base image could not be fetched: \(summary)")
            : BuildFailure(.stepFailed, summary)
    }

    /// The last lines of a log, as they may be shown: masked, without control characters, within limits.
    ///
    /// - Parameters:
    ///   - log: The end of the log.
    ///   - masker: Hides what must not be seen.
    ///   - bytesMaximum: The result is not longer; the oldest lines go first, then the start of the last one.
    public static func tail(_ log: String, masker: LogMasker, bytesMaximum: Int) -> String {
        let lines = masker.masked(log).split(whereSeparator: \.isNewline).map(printable).filter { !$0.isEmpty }
        var kept: [String] = []
        var size = 0
        for line in lines.suffix(tailLinesMaximum).reversed() {
            guard size + line.utf8.count + 1 <= bytesMaximum else { break }
            size += line.utf8.count + 1
            kept.insert(line, at: 0)
        }
        if kept.isEmpty, let last = lines.last {
            return String(last.unicodeScalars.suffix(bytesMaximum / 4).map(Character.init))
        }
        return kept.joined(separator: "\n")
    }

    /// Without escape sequences of terminals and other control characters.
    private static func printable(_ line: Substring) -> String {
        var result = String.UnicodeScalarView()
        var isEscape = false
        for scalar in line.unicodeScalars {
            if scalar == "\u{1B}" {
                isEscape = true
            } else if isEscape {
                // CSI: ends at the first byte from @ to ~ other than the opening bracket.
                if (0x40...0x7E).contains(scalar.value), scalar != "[" { isEscape = false }
            } else if scalar == "\t" || (scalar.value >= 0x20 && scalar.value != 0x7F) {
                result.append(scalar)
            }
        }
        return String(result)
    }
}
