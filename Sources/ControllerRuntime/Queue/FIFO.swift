/// A first-in, first-out list with constant-time ends.
///
/// The space before the head is given back when it outgrows what is left, so memory follows the number of elements.
struct FIFO<Element: Sendable>: Sendable {
    private var storage: [Element] = []
    private var head = 0

    var count: Int { storage.count - head }
    var isEmpty: Bool { head == storage.count }

    mutating func append(_ element: Element) {
        storage.append(element)
    }

    mutating func popFirst() -> Element? {
        guard head < storage.count else {
            return nil
        }
        let element = storage[head]
        head += 1
        if head == storage.count {
            storage.removeAll(keepingCapacity: head <= 1024)
            head = 0
        } else if head >= 64, head > storage.count / 2 {
            storage.removeFirst(head)
            head = 0
        }
        return element
    }

    /// Keeps only the elements that satisfy `isWanted`, in order.
    mutating func keep(where isWanted: (Element) -> Bool) {
        storage = storage[head...].filter(isWanted)
        head = 0
    }

    mutating func removeAll() {
        storage.removeAll(keepingCapacity: storage.count <= 1024)
        head = 0
    }
}
