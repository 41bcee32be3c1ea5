import KubernetesClient
import KubernetesTypes

/// The rare deliveries that were carried out, known to every replica and after a restart.
///
/// Pushes are remembered on their Repositories. Events that make and delete Repositories have no such place: without a
/// record a repeated one would make again what another one deleted since.
protocol DeliveryRecords: Sendable {
    /// Whether a delivery was carried out.
    func contains(_ identifier: String) async throws -> Bool
    /// Notes that it was.
    func insert(_ identifier: String) async throws
}

/// The record as a ConfigMap.
struct ClusterDeliveries: DeliveryRecords {
    static let name = "farebox-deliveries"
    /// 500 lines of at most 128 bytes: far below an object's limit, and months of such events.
    static let linesMaximum = 500
    private static let field = "deliveries"
    private static let triesMaximum = 8

    let api: any KubernetesAPI
    let namespace: String

    private var key: ObjectKey { ObjectKey(namespace: namespace, name: Self.name) }

    func contains(_ identifier: String) async throws -> Bool {
        lines(try await present()).contains { $0 == identifier }
    }

    func insert(_ identifier: String) async throws {
        var tries = 0
        while true {
            tries += 1
            do {
                let present = try await present()
                let lines = lines(present).filter { $0 != identifier }
                let text = ([identifier] + lines.prefix(Self.linesMaximum - 1)).joined(separator: "\n")
                if var record = present {
                    record.data[Self.field] = text
                    _ = try await api.update(record)
                } else {
                    _ = try await api.create(
                        ConfigMap(
                            metadata: ObjectMeta(name: Self.name, namespace: namespace), data: [Self.field: text]))
                }
                return
            } catch let error as KubernetesError
                where (error.isConflict || error.isAlreadyExists) && tries < Self.triesMaximum
            {
                // Another replica was faster.
            }
        }
    }

    private func present() async throws -> ConfigMap? {
        do {
            return try await api.get(ConfigMap.self, key)
        } catch let error as KubernetesError where error.isNotFound {
            return nil
        }
    }

    private func lines(_ record: ConfigMap?) -> [String] {
        (record?.data[Self.field] ?? "").split(separator: "\n").map(String.init)
    }
}
