import Glibc
import Synchronization

/// How log lines look.
public enum LogFormat: UInt8, Sendable, Hashable {
    /// One JSON object per line, for machines.
    case json
    /// Words and `key=value`, for a terminal.
    case text
}

/// A file descriptor that takes log lines, with the least level it takes and their format.
///
/// Each line is written at once and whole. When nobody reads, the writer waits, as it does on any blocking pipe; when the
/// descriptor is closed or broken, lines are lost without an error, since there is nowhere left to tell.
public final class LogOutput: Sendable {
    /// The process's standard error.
    public static let standardError = LogOutput(fileDescriptor: 2)

    private let fileDescriptor: Int32
    private let levelStorage: Atomic<UInt8>
    private let formatStorage: Atomic<UInt8>
    private let turn = Mutex(())  // Keeps long lines of two threads from mixing.

    /// Makes an output.
    ///
    /// - Parameters:
    ///   - fileDescriptor: Open for writing; it stays the caller's to close.
    ///   - level: The least level to write.
    ///   - format: How lines look.
    public init(fileDescriptor: Int32, level: LogLevel = .info, format: LogFormat = .json) {
        self.fileDescriptor = fileDescriptor
        levelStorage = Atomic(level.rawValue)
        formatStorage = Atomic(format.rawValue)
    }

    /// The least level to write; a change is in force at once.
    public var level: LogLevel {
        get { LogLevel(rawValue: levelStorage.load(ordering: .relaxed)) ?? .info }
        set { levelStorage.store(newValue.rawValue, ordering: .relaxed) }
    }

    /// How lines look; a change is in force at once.
    public var format: LogFormat {
        get { LogFormat(rawValue: formatStorage.load(ordering: .relaxed)) ?? .json }
        set { formatStorage.store(newValue.rawValue, ordering: .relaxed) }
    }

    func write(_ line: LogLine) {
        let bytes = line.rendered(as: format)
        turn.withLock { _ in write(bytes.span.bytes) }
    }

    private func write(_ bytes: RawSpan) {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = Glibc.write(fileDescriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count >= 0 {
                    rest = rest.dropFirst(count)
                } else if errno != EINTR {
                    return
                }
            }
        }
    }
}
