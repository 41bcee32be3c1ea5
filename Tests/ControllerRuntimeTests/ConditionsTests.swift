import KubernetesTypes
import Testing
import Timing

@testable import ControllerRuntime

@Suite("Conditions")
struct ConditionsTests {
    let early = Time(Timestamp(secondsSinceEpoch: 1000))
    let late = Time(Timestamp(secondsSinceEpoch: 2000))

    func conditions(_ observed: [Condition], generation: Int64 = 7) -> Conditions {
        Conditions(observed: observed, generation: generation, now: late)
    }

    func condition(_ type: String, _ status: ConditionStatus) -> Condition {
        Condition(type: type, status: status, reason: "Old", observedGeneration: 6, lastTransitionTime: early)
    }

    @Test(
        "The transition time moves with the status and only with it",
        arguments: [
            (ConditionStatus.true, ConditionStatus.true, false), (.true, .false, true), (.unknown, .true, true),
            (.false, .false, false),
        ])
    func transition(old: ConditionStatus, new: ConditionStatus, moves: Bool) {
        var conditions = conditions([condition("Available", old)])

        conditions.set("Available", new, reason: "New", message: "text")

        #expect(
            conditions["Available"]
                == Condition(
                    type: "Available", status: new, reason: "New", message: "text", observedGeneration: 7,
                    lastTransitionTime: moves ? late : early))
    }

    @Test("The same pass twice gives the same list")
    func idempotent() {
        var first = conditions([])
        first.set("Available", .true, reason: "Yes")
        first.setReady(reason: "Yes")
        var second = Conditions(observed: first.list, generation: 7, now: Time(Timestamp(secondsSinceEpoch: 9000)))

        second.set("Available", .true, reason: "Yes")
        second.setReady(reason: "Yes")

        #expect(second.list == first.list)
    }

    @Test("Reconciling and Stalled are present only while true, and never both")
    func summaries() {
        var conditions = conditions([condition("Ready", .true)])

        conditions.setReconciling(reason: "Progressing", message: "1 of 2")
        let working = conditions.list.map { "\($0.type)=\($0.status.rawValue)" }
        conditions.setStalled(reason: "ImageMissing", message: "name an image")
        let stalled = conditions.list.map { "\($0.type)=\($0.status.rawValue)" }
        conditions.setReady(reason: "Available")
        let ready = conditions.list.map { "\($0.type)=\($0.status.rawValue)" }

        #expect(working == ["Ready=Unknown", "Reconciling=True"])
        #expect(stalled == ["Ready=False", "Stalled=True"])
        #expect(ready == ["Ready=True"])
    }

    @Test("A type that stands twice is kept once")
    func duplicates() {
        let conditions = conditions([condition("Ready", .true), condition("Ready", .false)])

        #expect(conditions.list.count == 1)
        #expect(conditions.isTrue("Ready"))
    }

    @Test("A message too long for the API is cut between characters", arguments: ["x", "é", "👩‍👩‍👧‍👦"])
    func longMessage(character: String) {
        var conditions = conditions([])

        conditions.set("Ready", .false, reason: "Long", message: String(repeating: character, count: 40_000))

        let message = conditions["Ready"]?.message ?? ""
        #expect(message.utf8.count <= Conditions.messageBytesMaximum)
        #expect(message.utf8.count > Conditions.messageBytesMaximum - 40)
        #expect(message.hasSuffix(character + "…"))
    }
}
