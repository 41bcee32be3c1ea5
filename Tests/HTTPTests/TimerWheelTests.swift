import Testing

@testable import HTTP

@Suite("Timer wheel")
struct TimerWheelTests {
    @Test("A deadline fires once, at its tick")
    func fires() {
        var wheel = TimerWheel(now: 1000)
        wheel.set(3, deadline: 1010)

        let early = wheel.advance(to: 1009)
        let due = wheel.advance(to: 1010)
        let late = wheel.advance(to: 5000)

        #expect(early.isEmpty && due == [3] && late.isEmpty)
        #expect(wheel.count == 0)
    }

    @Test("A removed deadline does not fire and a moved one fires at its new time")
    func movesAndRemoves() {
        var wheel = TimerWheel(now: 0)
        wheel.set(1, deadline: 10)
        wheel.set(2, deadline: 10)
        wheel.set(3, deadline: 100)

        wheel.remove(1)
        wheel.set(2, deadline: 50)
        wheel.set(3, deadline: 5)

        let atTen = wheel.advance(to: 10)
        let before = wheel.advance(to: 49)
        let atFifty = wheel.advance(to: 50)

        #expect(atTen == [3])
        #expect(before.isEmpty)
        #expect(atFifty == [2])
    }

    @Test("Deadlines many turns ahead wait for theirs")
    func farAhead() {
        var wheel = TimerWheel(now: 7)
        wheel.set(0, deadline: 7 + 5 * 512 + 3)
        var fired: [UInt64] = []

        for tick in stride(from: UInt64(8), through: 3000, by: 1) where !wheel.advance(to: tick).isEmpty {
            fired.append(tick)
        }

        #expect(fired == [7 + 5 * 512 + 3])
    }

    @Test("The wheel agrees with a list of deadlines under random use")
    func agreesWithModel() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = FastRandom(seed: seed)
        var wheel = TimerWheel(now: 0)
        var model: [Int: UInt64] = [:]
        var now: UInt64 = 0

        for step in 0..<5_000 {
            let id = Int.random(in: 0..<50, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0, 1:
                let deadline = now + UInt64.random(in: 1..<2000, using: &random)
                wheel.set(id, deadline: deadline)
                model[id] = deadline
            case 2:
                wheel.remove(id)
                model[id] = nil
            default:
                now += UInt64.random(in: 1..<700, using: &random)
                let due = model.filter { $0.value <= now }.keys.sorted()
                let fired = wheel.advance(to: now).sorted()
                for id in due {
                    model[id] = nil
                }
                #expect(fired == due, "seed \(seed), step \(step)")
            }
            #expect((wheel.nextTick() == nil) == model.isEmpty, "seed \(seed), step \(step)")
            if let tick = wheel.nextTick(), let next = model.values.min() {
                #expect(tick > now && tick <= max(next, now + 1), "seed \(seed), step \(step)")
            }
            #expect(wheel.count == model.count)
        }
    }
}
