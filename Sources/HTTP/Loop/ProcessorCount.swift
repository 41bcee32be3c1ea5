import CEpoll
import Glibc

/// How many processors this process may use at once.
public enum ProcessorCount {
    /// The processors it is bound to, or the container's quota when that is less (rounded up); at least 1.
    public static var available: Int {
        max(1, min(bound, quota ?? .max))
    }

    private static var bound: Int {
        var set = cpu_set_t()
        guard sched_getaffinity(0, UInt(MemoryLayout<cpu_set_t>.size), &set) == 0 else { return 1 }
        return withUnsafeBytes(of: &set) { bytes in bytes.reduce(0) { $0 + $1.nonzeroBitCount } }
    }

    /// `cpu.max` of this control group, version 2: quota and period in microseconds.
    private static var quota: Int? {
        guard let file = fopen("/sys/fs/cgroup/cpu.max", "r") else { return nil }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 128)
        let count = fread(&buffer, 1, buffer.count, file)
        return quota(in: String(decoding: buffer.prefix(count), as: UTF8.self))
    }

    /// Reads `max 100000` or `150000 100000`.
    static func quota(in text: String) -> Int? {
        let parts = text.split { $0 == " " || $0 == "\n" }
        guard parts.count == 2, let quota = Int(parts[0]), let period = Int(parts[1]), quota > 0, period > 0 else {
            return nil
        }
        return (quota - 1) / period + 1
    }
}
