import JSON
import KubernetesTypes
import Testing

@testable import Operator

@Suite("The start of a pod")
struct PodStartsTests {
    private static let scheduled = #"{"conditions": [{"type": "PodScheduled", "status": "True"}]}"#
    private static let running =
        #"{"conditions": [{"type": "PodScheduled", "status": "True"}], "containerStatuses": [{"name": "function", "ready": false, "restartCount": 0, "image": "", "imageID": "", "state": {"running": {}}}]}"#
    private static let ready =
        #"{"conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "True"}]}"#

    private let begun = ContinuousClock.now

    private func pod(_ status: String = "{}") throws -> Pod {
        var metadata = ObjectMeta(name: "f-1")
        metadata.uid = "u1"
        return Pod(metadata: metadata, status: try JSONReader().decode(PodStatus.self, from: Array(status.utf8)))
    }

    private func at(_ seconds: Int) -> ContinuousClock.Instant { begun + .seconds(seconds) }

    @Test("Each part is timed from the end of the one before, once")
    func parts() throws {
        var starts = PodStarts()
        var found = starts.created(try pod(), now: at(0))

        found += starts.changed(try pod(Self.scheduled), now: at(1))
        found += starts.changed(try pod(Self.scheduled), now: at(2))
        found += starts.pulled("u1", now: at(4))
        found += starts.pulled("u1", now: at(5))
        found += starts.changed(try pod(Self.running), now: at(8))
        found += starts.changed(try pod(Self.ready), now: at(16))
        found += starts.changed(try pod(Self.ready), now: at(17))

        #expect(
            found.map { "\($0.phase) \($0.duration / .seconds(1))" } == [
                "schedule 1.0", "pull 3.0", "start 4.0", "ready 8.0",
            ])
        #expect(starts.count == 0)
    }

    @Test("Parts that are told in one are counted with no time of their own")
    func leap() throws {
        var starts = PodStarts()
        _ = starts.created(try pod(Self.scheduled), now: at(0))

        let found = starts.changed(try pod(Self.ready), now: at(3))

        #expect(found.map { "\($0.phase) \($0.duration / .seconds(1))" } == ["pull 3.0", "start 0.0", "ready 0.0"])
    }

    @Test("What comes late or of a pod whose making was not seen counts nothing, and what ends is forgotten")
    func strangers() throws {
        var starts = PodStarts()

        let unseen = starts.changed(try pod(Self.ready), now: at(1)) + starts.pulled("u1", now: at(1))
        _ = starts.created(try pod(), now: at(2))
        _ = starts.changed(try pod(Self.running), now: at(3))
        let late = starts.pulled("u1", now: at(4)) + starts.changed(try pod(Self.scheduled), now: at(5))
        starts.removed(try pod())

        #expect(unseen.isEmpty && late.isEmpty)
        #expect(starts.count == 0)
    }
}
