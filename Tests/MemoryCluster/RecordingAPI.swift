public import KubernetesClient
import Synchronization

/// Hands every request on, remembers the unary ones, and can fail them.
public final class RecordingAPI: KubernetesAPI {
    /// Decides whether a request fails, and how; it counts them from 1.
    public typealias Fault = @Sendable (_ number: Int, APIRequest) -> KubernetesError?

    private let inner: any KubernetesAPI
    private let recorded = Mutex<[String]>([])
    private let fault: Mutex<Fault?>

    /// Stands before another one.
    public init(_ inner: any KubernetesAPI, fault: Fault? = nil) {
        self.inner = inner
        self.fault = Mutex(fault)
    }

    /// What was asked so far, apart from lists and watches.
    public var requests: [String] { recorded.withLock { $0 } }

    /// Lets everything through from now on.
    public func heal() { fault.withLock { $0 = nil } }

    /// Hands a request on, or fails it.
    public func send(_ request: APIRequest) async throws -> [UInt8] {
        if request.verb != .list {
            let number = recorded.withLock { recorded in
                recorded.append(request.description)
                return recorded.count
            }
            if let error = fault.withLock({ $0 })?(number, request) { throw error }
        }
        return try await inner.send(request)
    }

    /// Hands a watch on.
    public func open(_ request: APIRequest) async throws -> any ByteStream { try await inner.open(request) }
}
