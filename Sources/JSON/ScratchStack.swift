/// Elements of containers that are not complete yet; those of the innermost one are on top.
///
/// Completed containers are moved off at once into an array of exactly their size. That is one allocation for each, where
/// an array that grows needs several, and no reference count is touched.
struct ScratchStack<Element>: ~Copyable {
    private(set) var count = 0
    private var storage: UnsafeMutableBufferPointer<Element>

    init() {
        storage = .allocate(capacity: 64)
    }

    deinit {
        storage[..<count].deinitialize()
        storage.deallocate()
    }

    @inline(__always)
    mutating func push(_ element: consuming Element) {
        if count == storage.count { grow() }
        storage.initializeElement(at: count, to: element)
        count += 1
    }

    /// Removes the elements above a former `count`, in the order in which they came.
    @inline(__always)
    mutating func pop(downTo start: Int) -> [Element] {
        precondition((0...count).contains(start), "the stack was lower than this")
        var popped: [Element] = []
        popped.reserveCapacity(count - start)
        for index in start..<count { popped.append(storage.moveElement(from: index)) }
        count = start
        return popped
    }

    /// Sorts the elements above a former `count`; equal ones keep their order.
    @inline(__always)
    mutating func sort(from start: Int, by precedes: (borrowing Element, borrowing Element) -> Bool) {
        precondition((0...count).contains(start), "the stack was lower than this")
        guard count - start <= 24 else {
            storage[start..<count].sort { precedes($0, $1) }
            return
        }
        // Insertion: objects have few members, and those that we wrote ourselves are in order already.
        var next = start + 1
        while next < count {
            var index = next
            while index > start, precedes(storage[index], storage[index - 1]) {
                storage.swapAt(index, index - 1)
                index -= 1
            }
            next += 1
        }
    }

    private mutating func grow() {
        let larger = UnsafeMutableBufferPointer<Element>.allocate(capacity: 2 * storage.count)
        _ = larger.moveInitialize(fromContentsOf: storage[..<count])
        storage.deallocate()
        storage = larger
    }
}
