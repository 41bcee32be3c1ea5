import FaultServer
import Glibc
import HTTP
import KubernetesClient
import KubernetesTypes
import Testing

/// A real API server, and a way to it on which everything can go wrong.
struct WireWorld: Sendable {
    /// The kubeconfig of an administrator; `hack/test api` sets it.
    static let kubeconfig = getenv("FAREBOX_TEST_KUBECONFIG").map { String(cString: $0) }

    /// The trait of suites that need an API server.
    static let isGiven = ConditionTrait.enabled(
        if: kubeconfig != nil, "needs a kube-apiserver: run hack/test api, which sets FAREBOX_TEST_KUBECONFIG")

    /// Talks to the API server directly.
    let direct: Client
    /// Talks to it through ``faults``.
    let disturbed: Client
    /// The way between them.
    let faults: FaultServer
    /// A namespace for this world alone.
    let namespace: String

    /// Runs a test in a world of its own.
    static func run(_ body: (WireWorld) async throws -> Void) async throws {
        let configuration = try ConfigurationLoader().forPerson(kubeconfig: kubeconfig)
        let upstream = HTTPClient(
            configuration: HTTPClientConfiguration(
                tls: TLSIdentity(
                    authorities: try bytes(configuration.authorities),
                    certificate: try bytes(configuration.certificate?.certificate),
                    privateKey: try bytes(configuration.certificate?.key))))
        let faults = try FaultServer(relayingTo: .init(client: upstream, url: configuration.server))
        var disturbed = ClientConfiguration(server: faults.url)
        disturbed.proxy = .none
        let world = WireWorld(
            direct: try Client(configuration), disturbed: try Client(disturbed), faults: faults,
            namespace: "wire-test-\(UInt32.random(in: 0 ... .max))")
        _ = try await world.direct.create(Namespace(metadata: ObjectMeta(name: world.namespace)))
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(world))
        } catch {
            result = .failure(error)
        }
        await faults.stop()
        try? await world.direct.delete(Namespace.self, ObjectKey(name: world.namespace))
        try result.get()
    }

    private static func bytes(_ source: PEMSource?) throws -> [UInt8]? {
        switch source {
        case nil: return nil
        case .data(let bytes): return bytes
        case .file(let path):
            let file = try #require(fopen(path, "r"))
            defer { fclose(file) }
            var contents = [UInt8](repeating: 0, count: 1 << 20)
            contents.removeLast(contents.count - fread(&contents, 1, contents.count, file))
            return contents
        }
    }
}
