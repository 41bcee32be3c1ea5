import Glibc
import SwiftOverlayShims  // Where the compiler finds the members of `timespec`.

extension MetricsRegistry {
    /// Adds what Prometheus's own client libraries tell about a process: CPU time, memory, descriptors, start.
    ///
    /// Most numbers come from `/proc/self`; where it is missing they are left out.
    public func registerProcessMetrics() {
        observe("process_cpu_seconds_total", "User and system CPU time in seconds.", isCounter: true) {
            ProcessStatistics.cpuSeconds()
        }
        observe("process_resident_memory_bytes", "Resident memory in bytes.") {
            ProcessStatistics.current()?.residentBytes
        }
        observe("process_virtual_memory_bytes", "Virtual memory in bytes.") {
            ProcessStatistics.current()?.virtualBytes
        }
        observe("process_threads", "Threads of the process.") {
            ProcessStatistics.current()?.threads
        }
        observe("process_open_fds", "Open file descriptors.") {
            ProcessStatistics.openDescriptors()
        }
        observe("process_max_fds", "Most file descriptors the process may open.") {
            ProcessStatistics.maximumDescriptors()
        }
        let start = ProcessStatistics.startTime()
        observe("process_start_time_seconds", "Start of the process in seconds since 1970.") { start }
    }
}

/// What Linux tells about this process (proc(5)).
struct ProcessStatistics {
    let threads: Double
    let startTicks: Double
    let virtualBytes: Double
    let residentBytes: Double

    static func current() -> ProcessStatistics? {
        contents(of: "/proc/self/stat").flatMap { ProcessStatistics(stat: $0) }
    }

    /// Reads `/proc/<pid>/stat`, in whose second field, the program's name in parentheses, anything may stand.
    init?(stat: String) {
        guard let nameEnd = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[nameEnd...].split(separator: " ").dropFirst().map { Double($0) }
        // The list begins with field 3 of the manual page.
        guard fields.count > 21, let threads = fields[17],
            let start = fields[19], let virtual = fields[20], let pages = fields[21]
        else { return nil }
        self.threads = threads
        startTicks = start
        virtualBytes = virtual
        residentBytes = pages * Double(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// From the clock, which counts nanoseconds, and not from `stat`, which counts hundredths of a second.
    static func cpuSeconds() -> Double? {
        var time = timespec()
        guard clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 else { return nil }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    static func startTime() -> Double? {
        guard let ticks = current()?.startTicks, let stat = contents(of: "/proc/stat"),
            let line = stat.split(separator: "\n").first(where: { $0.hasPrefix("btime ") }),
            let boot = Double(line.dropFirst("btime ".count))
        else { return nil }
        return boot + ticks / ticksPerSecond
    }

    static func openDescriptors() -> Double? {
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        return Double(count - 3)  // Without ".", ".." and the directory's own descriptor.
    }

    static func maximumDescriptors() -> Double? {
        guard let limits = contents(of: "/proc/self/limits"),
            let line = limits.split(separator: "\n").first(where: { $0.hasPrefix("Max open files") }),
            let soft = line.split(separator: " ").dropFirst(3).first
        else { return nil }
        return Double(soft)
    }

    private static var ticksPerSecond: Double { Double(sysconf(Int32(_SC_CLK_TCK))) }

    /// The start of a small file; enough for what is read here.
    private static func contents(of path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while bytes.count < 1 << 20 {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { break }
            bytes.append(contentsOf: buffer.prefix(count))
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
