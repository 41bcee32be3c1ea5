import Glibc
import Testing
import Threads

@Suite("A thread of its own")
struct DetachedThreadTests {
    @Test("runs what it was given once, and on another thread, while a thousand others do the same")
    func runs() async {
        let here = UInt(pthread_self())

        let threads = await withTaskGroup(of: UInt.self) { group in
            for _ in 0..<1000 {
                group.addTask {
                    await withCheckedContinuation { continuation in
                        let code = DetachedThread.start { continuation.resume(returning: UInt(pthread_self())) }
                        if code != 0 { continuation.resume(returning: 0) }
                    }
                }
            }
            return await group.reduce(into: [UInt]()) { $0.append($1) }
        }

        #expect(threads.count == 1000)
        #expect(!threads.contains(0))
        #expect(!threads.contains(here))
    }

    @Test("lets go of what it was given when it is done")
    func releases() async {
        final class Thing: Sendable {}
        weak var seen: Thing?

        await withCheckedContinuation { continuation in
            let thing = Thing()
            seen = thing
            _ = DetachedThread.start { [thing] in
                withExtendedLifetime(thing) {}
                continuation.resume()
            }
        }

        let end = ContinuousClock.now + .seconds(300)
        // A look now and then: nothing tells that an object has gone.
        while seen != nil, ContinuousClock.now < end { try? await Task.sleep(for: .milliseconds(2)) }
        #expect(seen == nil)
    }
}
