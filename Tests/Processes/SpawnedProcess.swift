package import Glibc

/// A child process whose output is read here.
package struct SpawnedProcess: Sendable {
    package struct Failure: Error {
        package let what: String

        package init(what: String) { self.what = what }
    }

    package let identifier: pid_t
    /// What it writes to its standard output comes out here.
    package let output: Int32
    /// Its standard input, which ends when this process does.
    package let input: Int32

    /// Starts a program.
    package init(_ path: String, _ arguments: [String]) throws(Failure) {
        // Sockets, not pipes: they are made with close-on-exec at once, so that no sibling started meanwhile holds them open.
        var (inputs, outputs): ([Int32], [Int32]) = ([0, 0], [0, 0])
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &inputs) == 0, socketpair(AF_UNIX, kind, 0, &outputs) == 0 else {
            throw Failure(what: "socketpair: \(errno)")
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, inputs[0], 0)
        posix_spawn_file_actions_adddup2(&actions, outputs[1], 1)
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
        words.append(nil)
        defer { words.forEach { free($0) } }
        var process = pid_t()
        let status = posix_spawn(&process, path, &actions, nil, &words, environ)
        close(inputs[0])
        close(outputs[1])
        input = inputs[1]
        output = outputs[0]
        identifier = process
        guard status == 0 else { throw Failure(what: "\(path) does not start: \(status)") }
    }

    /// Reads what comes next; empty at the end.
    package func read() -> [UInt8] {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = Glibc.read(output, &chunk, chunk.count)
        return count > 0 ? Array(chunk[..<count]) : []
    }

    /// Waits for its end and returns its wait status.
    package func wait() -> Int32 {
        var status: Int32 = 0
        waitpid(identifier, &status, 0)
        close(input)
        close(output)
        return status
    }
}
