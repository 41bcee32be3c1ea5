import Testing

@testable import CommandLine

@Suite("How a client of the Function Builder API goes on")
struct BuildPersistenceTests {
    private typealias Event = BuildPersistence.Event
    private typealias Step = BuildPersistence.Step

    private static let pause = Duration.seconds(5)

    /// What it does after each of some events.
    private func steps(_ events: [Event], isAdmitted: Bool, canAsk: Bool = true) -> [Step] {
        var persistence = BuildPersistence(BuildPersistence.Patience())
        if isAdmitted { persistence.admitted() }
        return events.map { persistence.next(after: $0, canAsk: canAsk) }
    }

    @Test("Whoever never answered is not there; whoever took the build comes back")
    func unreachable() {
        #expect(steps([.unreachable], isAdmitted: false) == [.giveUp])
        #expect(steps([.unreachable], isAdmitted: true) == [.send(after: Self.pause)])
    }

    @Test("After a break the build is asked for, and sent again once it is not known any more")
    func asks() {
        let steps = steps([.broke, .unreachable, .away(nil), .forgotten, .away(nil)], isAdmitted: true)

        #expect(
            steps == [
                .ask(after: .milliseconds(400)), .ask(after: Self.pause), .ask(after: Self.pause),
                .send(after: Self.pause), .send(after: Self.pause),
            ])
    }

    @Test("A build without an id cannot be asked for")
    func noID() {
        #expect(steps([.broke], isAdmitted: true, canAsk: false) == [.giveUp])
    }

    @Test(
        "Everything has an end",
        arguments: [
            (Event.full(nil), false, 60), (.away(nil), false, 4), (.away(nil), true, 36), (.unreachable, true, 36),
            (.broke, true, 6), (.interrupted, true, 6), (.forgotten, true, 6),
        ])
    func ends(event: BuildPersistence.Event, isAdmitted: Bool, tries: Int) {
        let steps = steps(Array(repeating: event, count: tries), isAdmitted: isAdmitted)

        #expect(steps.last == .giveUp)
        #expect(!steps.dropLast().contains(.giveUp))
    }

    @Test("A builder that came back may go away again")
    func again() {
        var persistence = BuildPersistence(BuildPersistence.Patience())
        persistence.admitted()
        for _ in 0..<35 { _ = persistence.next(after: .away(nil), canAsk: true) }

        persistence.admitted()

        #expect(persistence.next(after: .away(nil), canAsk: true) != .giveUp)
    }

    @Test("A wait that the builder names counts, up to a limit")
    func waits() {
        #expect(
            steps([.full(.seconds(7)), .full(.seconds(3600))], isAdmitted: false)
                == [.send(after: .seconds(7)), .send(after: .seconds(30))])
    }
}
