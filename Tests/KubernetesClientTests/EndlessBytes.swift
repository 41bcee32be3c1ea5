import Synchronization

@testable import KubernetesClient

/// A stream of one line without end.
final class EndlessBytes: ByteStream {
    private let cancelled = Atomic<Bool>(false)

    var isCancelled: Bool { cancelled.load(ordering: .sequentiallyConsistent) }

    func next() async throws -> [UInt8]? { [UInt8](repeating: 0x20, count: 300) }

    func cancel() { cancelled.store(true, ordering: .sequentiallyConsistent) }
}
