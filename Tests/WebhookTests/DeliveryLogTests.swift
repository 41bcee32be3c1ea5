import Testing

@testable import Webhook

@Suite("The log of deliveries")
struct DeliveryLogTests {
    @Test("A delivery is known once it was carried out")
    func remembers() {
        let log = DeliveryLog()

        log.insert("a")

        #expect(log.contains("a"))
        #expect(!log.contains("b"))
    }

    @Test("The oldest delivery is forgotten when the log is full")
    func forgetsTheOldest() {
        let log = DeliveryLog(capacity: 3)

        for identifier in ["a", "b", "b", "c", "d", "e"] { log.insert(identifier) }

        #expect(["a", "b", "c", "d", "e"].map(log.contains) == [false, false, true, true, true])
    }
}
