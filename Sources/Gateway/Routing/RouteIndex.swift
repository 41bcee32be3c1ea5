/// Routes by name, in shards: a change copies one shard of a few entries, whatever the table's size, while somebody else
/// still reads it, and none when nobody does.
struct RouteIndex: Sendable {
    /// With 10,000 functions a shard has about 40 entries, 2 KiB to copy and 20 to compare.
    private static let shardCount = 256

    private struct Entry {
        let hash: UInt64
        let name: RouteName
        var route: Route
    }

    private let ignoresCase: Bool
    private var shards: [[Entry]]
    /// How many routes there are.
    private(set) var count = 0

    /// Makes an empty index.
    ///
    /// - Parameter ignoresCase: Whether the first part of a name is found in either case of ASCII letters.
    init(ignoresCase: Bool) {
        self.ignoresCase = ignoresCase
        shards = Array(repeating: [], count: Self.shardCount)
    }

    /// Finds a route by the two parts of its name.
    func find(_ first: Span<UInt8>, _ second: Span<UInt8>) -> Route? {
        let hash = hash(first, second)
        let shard = shards[Int(hash >> 56)]
        return position(of: hash, first, second, in: shard).map { shard[$0].route }
    }

    /// The route under `name`.
    subscript(name: RouteName) -> Route? {
        find(name.first.span, name.second.span)
    }

    /// Puts `route` under `name`, or takes away what is there.
    mutating func set(_ name: RouteName, _ route: Route?) {
        let hash = hash(name.first.span, name.second.span)
        let shard = Int(hash >> 56)
        switch (position(of: hash, name.first.span, name.second.span, in: shards[shard]), route) {
        case (let position?, let route?):
            shards[shard][position].route = route
        case (let position?, nil):
            shards[shard].remove(at: position)
            count -= 1
        case (nil, let route?):
            shards[shard].append(Entry(hash: hash, name: name, route: route))
            count += 1
        case (nil, nil):
            break
        }
    }

    private func position(
        of hash: UInt64, _ first: Span<UInt8>, _ second: Span<UInt8>, in shard: [Entry]
    ) -> Int? {
        for index in shard.indices where shard[index].hash == hash && matches(shard[index].name, first, second) {
            return index
        }
        return nil
    }

    /// Hashes two parts (FNV-1a over both, with a byte between them that neither has).
    ///
    /// Not proof against chosen collisions, which would slow down only the look-ups of the functions that collide.
    private func hash(_ first: Span<UInt8>, _ second: Span<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in first.indices {
            hash = (hash ^ UInt64(folded(first[index]))) &* 0x100_0000_01B3
        }
        hash = (hash ^ 0xFF) &* 0x100_0000_01B3
        for index in second.indices {
            hash = (hash ^ UInt64(second[index])) &* 0x100_0000_01B3
        }
        // The shards go by the top bits, which FNV-1a mixes least for short texts.
        return hash ^ (hash << 32)
    }

    private func matches(_ name: RouteName, _ first: Span<UInt8>, _ second: Span<UInt8>) -> Bool {
        guard name.first.count == first.count, name.second.count == second.count else { return false }
        for index in first.indices where folded(name.first[index]) != folded(first[index]) {
            return false
        }
        for index in second.indices where name.second[index] != second[index] {
            return false
        }
        return true
    }

    private func folded(_ byte: UInt8) -> UInt8 {
        ignoresCase && byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
    }
}
