/// Routes by name, in shards that never change: a change copies one shard of a few entries, whatever the table's size.
struct RouteIndex: Sendable {
    /// With 10,000 functions a shard has about 40 entries, 2 KiB to copy and 20 to compare.
    private static let shardCount = 256

    private final class Shard: Sendable {
        let entries: [(hash: UInt64, name: RouteName, route: Route)]

        init(_ entries: [(hash: UInt64, name: RouteName, route: Route)]) {
            self.entries = entries
        }
    }

    private let ignoresCase: Bool
    private var shards: [Shard]
    /// How many routes there are.
    private(set) var count = 0

    /// Makes an empty index.
    ///
    /// - Parameter ignoresCase: Whether the first part of a name is found in either case of ASCII letters.
    init(ignoresCase: Bool) {
        self.ignoresCase = ignoresCase
        shards = Array(repeating: Shard([]), count: Self.shardCount)
    }

    /// Finds a route by the two parts of its name.
    func find(_ first: Span<UInt8>, _ second: Span<UInt8>) -> Route? {
        let hash = hash(first, second)
        let shard = shards[Int(hash >> 56)]
        for entry in shard.entries where entry.hash == hash && matches(entry.name, first, second) {
            return entry.route
        }
        return nil
    }

    /// The route under `name`.
    subscript(name: RouteName) -> Route? {
        find(name.first.span, name.second.span)
    }

    /// Puts `route` under `name`, or takes away what is there.
    mutating func set(_ name: RouteName, _ route: Route?) {
        let hash = hash(name.first.span, name.second.span)
        let index = Int(hash >> 56)
        var entries = shards[index].entries.filter { entry in
            entry.hash != hash || !matches(entry.name, name.first.span, name.second.span)
        }
        count -= shards[index].entries.count - entries.count
        if let route {
            entries.append((hash, name, route))
            count += 1
        }
        shards[index] = Shard(entries)
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
