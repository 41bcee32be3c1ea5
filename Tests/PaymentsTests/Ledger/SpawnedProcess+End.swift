import Dispatch
import Processes

extension SpawnedProcess {
    /// Reads all output and waits for the end, on a thread that nobody shares.
    ///
    /// - Returns: What it wrote, and its wait status: the exit code times 256 when it ended by itself.
    func end() async -> (output: String, status: Int32) {
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "spawned process").async {
                var output: [UInt8] = []
                while case let bytes = read(), !bytes.isEmpty { output += bytes }
                continuation.resume(returning: (String(decoding: output, as: UTF8.self), wait()))
            }
        }
    }
}
