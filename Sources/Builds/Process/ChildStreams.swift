import CProcess
import Glibc

extension ChildProcess {
    /// The three streams of a child, seen from both sides.
    struct Streams {
        private(set) var childInput: Int32 = -1
        private(set) var childOutput: Int32 = -1
        private(set) var childErrors: Int32 = -1
        private var output: Int32 = -1
        private var errors: Int32 = -1

        /// Opens files and pipes, all of them closed on exec; the child's copies are made by `posix_spawn`.
        ///
        /// - Throws: ``ChildProcessError/cannotStart(_:code:)`` naming the file that could not be opened.
        init(inputPath: String?, input: [UInt8] = [], outputPath: String?) throws {
            do {
                childInput =
                    input.isEmpty ? try Self.open(inputPath ?? "/dev/null", O_RDONLY) : try Self.filled(input)
                if let outputPath {
                    childOutput = try Self.open(outputPath, O_WRONLY | O_CREAT | O_TRUNC)
                } else {
                    (output, childOutput) = try Self.pipe()
                }
                (errors, childErrors) = try Self.pipe()
            } catch {
                close()
                throw error
            }
        }

        /// Whether the child may still say something.
        var isOpen: Bool { output >= 0 || errors >= 0 }

        /// Waits up to `wait` for bytes and takes what is there.
        ///
        /// - Returns: Whether nothing was left to take.
        mutating func read(
            output kept: inout [UInt8], errors tail: inout [UInt8], errorsMaximum: Int, wait: Duration
        ) -> Bool {
            var descriptors = [
                pollfd(fd: output, events: Int16(POLLIN), revents: 0),
                pollfd(fd: errors, events: Int16(POLLIN), revents: 0),
            ]
            let milliseconds = Int32(wait / .milliseconds(1))
            guard poll(&descriptors, 2, milliseconds) > 0 else { return true }
            if descriptors[0].revents != 0 { Self.take(&output, into: &kept) }
            if descriptors[1].revents != 0 {
                Self.take(&errors, into: &tail)
                if tail.count > errorsMaximum { tail.removeFirst(tail.count - errorsMaximum) }
            }
            return false
        }

        /// Closes what the child has a copy of, so that its end is seen as the end of the streams.
        mutating func closeChildSide() {
            for path in [\Self.childInput, \.childOutput, \.childErrors] { Self.close(&self[keyPath: path]) }
        }

        /// Closes everything that is still open.
        mutating func close() {
            closeChildSide()
            Self.close(&output)
            Self.close(&errors)
        }

        private static func take(_ descriptor: inout Int32, into bytes: inout [UInt8]) {
            let size = 64 << 10
            let chunk = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                count = max(0, Glibc.read(descriptor, buffer.baseAddress, size))
            }
            if chunk.isEmpty { close(&descriptor) } else { bytes += chunk }
        }

        private static func close(_ descriptor: inout Int32) {
            if descriptor >= 0 { Glibc.close(descriptor) }
            descriptor = -1
        }

        private static func open(_ path: String, _ flags: Int32) throws -> Int32 {
            let descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw ChildProcessError.cannotStart(path, code: errno) }
            return descriptor
        }

        /// A pipe that holds these bytes and then ends.
        private static func filled(_ bytes: [UInt8]) throws -> Int32 {
            precondition(bytes.count <= ChildProcess.inputBytesMaximum, "more than a pipe takes at once")
            let (reading, writing) = try pipe()
            defer { Glibc.close(writing) }
            guard bytes.withUnsafeBytes({ write(writing, $0.baseAddress, $0.count) }) == bytes.count else {
                Glibc.close(reading)
                throw ChildProcessError.cannotStart("pipe", code: errno)
            }
            return reading
        }

        private static func pipe() throws -> (reading: Int32, writing: Int32) {
            var ends: [Int32] = [-1, -1]
            guard pipe2(&ends, O_CLOEXEC) == 0 else { throw ChildProcessError.cannotStart("pipe", code: errno) }
            return (ends[0], ends[1])
        }
    }
}
