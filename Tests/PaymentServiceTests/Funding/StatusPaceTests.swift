import KubernetesTypes
import Testing

@testable import PaymentService

@Suite("The pace of writes")
struct StatusPaceTests {
    @Test("A second write waits for what is left of the interval, and other objects do not")
    func pace() {
        let pace = StatusPace(interval: .seconds(10))
        let key = ObjectKey(namespace: "n", name: "a")
        let start = ContinuousClock.now
        pace.note(key, now: start)

        #expect(pace.wait(key, now: start + .seconds(4)) == .seconds(6))
        #expect(pace.wait(key, now: start + .seconds(10)) == nil)
        #expect(pace.wait(ObjectKey(namespace: "n", name: "b"), now: start) == nil)
        pace.forget(key)
        #expect(pace.wait(key, now: start) == nil)
    }
}
