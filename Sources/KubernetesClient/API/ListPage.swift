import HTTP
import JSON
import KubernetesTypes

/// The objects of one page of a collection, decoded on all processors there are when they are many.
struct ListPage<Resource: KubernetesResource>: Sendable {
    let list: JSONReader.List
    /// Members that are not read, each as the keys from an object down to it.
    let leftOut: [[String]]

    /// How many objects are decoded in one go: enough to be worth a task, few enough to take little memory.
    private static var batchSize: Int { 128 }

    /// Hands the objects on, one by one and in no order; those that come before the error also when it throws.
    func forEach(_ take: (Resource) -> Void) async throws {
        guard list.count > Self.batchSize else {
            return try objects(from: 0).forEach(take)
        }
        try await withThrowingTaskGroup(of: [Resource].self) { group in
            var batches = stride(from: 0, to: list.count, by: Self.batchSize).makeIterator()
            for first in (0..<ProcessorCount.available).compactMap({ _ in batches.next() }) {
                group.addTask { try objects(from: first) }
            }
            while let objects = try await group.next() {
                if let first = batches.next() {
                    group.addTask { try self.objects(from: first) }
                }
                objects.forEach(take)
            }
        }
    }

    /// Decodes one batch.
    private func objects(from first: Int) throws -> [Resource] {
        let reader = JSONReader()
        var objects: [Resource] = []
        try list.read(first..<min(first + Self.batchSize, list.count), leavingOut: leftOut) { item in
            objects.append(try reader.decode(Resource.self, from: item))
        }
        return objects
    }
}
