import Testing
import Timing

@testable import AsyncCalls

@Suite("The book of calls that wait")
struct QueueBookTests {
    private let start = Timestamp(secondsSinceEpoch: 1_700_000_000)

    @Test("The call that has been due for longest is taken first, one that is not due is not taken")
    func order() {
        var book = QueueBook()
        book.add(1, .hello, due: start + .seconds(2), attempts: 0, bytes: 1)
        book.add(2, .hello, due: start, attempts: 4, bytes: 1)
        book.add(3, .hello, due: start + .seconds(9), attempts: 0, bytes: 1)

        let first = book.take(.hello, now: start + .seconds(5))
        let second = book.take(.hello, now: start + .seconds(5))
        let third = book.take(.hello, now: start + .seconds(5))

        #expect(first?.number == 2 && first?.attempt == 5)
        #expect(second?.number == 1 && second?.attempt == 1)
        #expect(third == nil && book.nextDue(.hello) == start + .seconds(9))
        #expect(book.count == 3)
    }

    @Test("A call that was given back is taken again when it is due; one that was not taken cannot be given back")
    func givesBack() {
        var book = QueueBook()
        book.add(1, .hello, due: start, attempts: 0, bytes: 5)

        book.giveBack(1, due: start)
        _ = book.take(.hello, now: start)
        let none = book.take(.hello, now: start)
        book.giveBack(1, due: start + .seconds(1), attempts: 1)
        let again = book.take(.hello, now: start + .seconds(1))

        #expect(none == nil)
        #expect(again?.attempt == 2)
    }

    @Test("What is removed leaves no trace; unknown numbers do nothing")
    func removes() {
        var book = QueueBook()
        book.add(1, .hello, due: start, attempts: 0, bytes: 5)
        book.add(1, .hello, due: start, attempts: 0, bytes: 5)
        _ = book.take(.hello, now: start)

        book.remove(1)
        book.remove(1)
        book.remove(7)
        book.giveBack(1, due: start)

        #expect(book.count == 0 && book.bytes == 0 && book.occupiedLanes.isEmpty)
    }

    @Test("Room is refused beyond each limit, and counts what is being written")
    func limits() {
        var limits = CallLimits()
        limits.callsMaximum = 3
        limits.callsPerFunctionMaximum = 2
        limits.bytesMaximum = 100
        var book = QueueBook()

        var refusals: [Bool] = []
        func reserve(_ lane: CallLane, _ bytes: Int) {
            refusals.append(book.reserve(lane, bytes: bytes, limits: limits) != nil)
        }
        reserve(.hello, 10)
        book.add(1, .hello, due: start, attempts: 0, bytes: 10)
        book.cancelReservation(.hello, bytes: 10)
        reserve(.hello, 10)
        reserve(.hello, 10)
        reserve(.other, 90)
        reserve(.other, 10)
        reserve(.other, 10)
        book.cancelReservation(.other, bytes: 10)
        reserve(.other, 10)

        #expect(refusals == [false, false, true, true, false, true, false])
    }

    @Test("A heap gives its elements in order", arguments: [0, 1, 2, 3, 10, 100, 1000])
    func heap(count: Int) {
        var heap = MinimumHeap<Int>()
        let numbers = (0..<count).map { _ in Int.random(in: 0..<500) }
        for number in numbers { heap.insert(number) }

        var taken: [Int] = []
        while let first = heap.first {
            taken.append(first)
            heap.removeFirst()
        }

        #expect(taken == numbers.sorted())
    }
}
