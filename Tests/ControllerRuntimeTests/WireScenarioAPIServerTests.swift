import FaultServer
import HTTP
import JSON
import KubernetesClient
import KubernetesTypes
import Synchronization
import Testing

@testable import ControllerRuntime

@Suite("Informers on a real API server, with a bad line to it", WireWorld.isGiven, .timeLimit(.minutes(10)))
struct WireScenarioAPIServerTests {
    /// What happens on the line while objects change on the server.
    struct Disturbance: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let happen: @Sendable (FaultServer) -> Void

        init(_ description: String, _ happen: @escaping @Sendable (FaultServer) -> Void) {
            testDescription = description
            self.happen = happen
        }
    }

    private static func errorEvent(_ code: Int, _ reason: String) -> String {
        #"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"\#(reason)","#
            + #""code":\#(code)}}"# + "\n"
    }

    private static func refusal(_ code: Int, _ reason: String, retryAfter: String? = nil) -> FaultServer.Reply {
        var headers = HTTPHeaders([("Content-Type", "application/json")])
        if let retryAfter { headers.add("Retry-After", retryAfter) }
        let text = #"{"kind":"Status","apiVersion":"v1","reason":"\#(reason)","code":\#(code)}"#
        return .response(HTTPResponse(HTTPStatus(code), headers: headers, body: .bytes(Array(text.utf8))))
    }

    private static let isWatch: @Sendable (HTTPRequest) -> Bool = { $0.query?.contains("watch=true") == true }
    private static let isList: @Sendable (HTTPRequest) -> Bool = { $0.query?.contains("watch=true") != true }

    static let disturbances: [Disturbance] = [
        Disturbance("nothing") { _ in },
        Disturbance("the watch is cut") { $0.cutWatches() },
        Disturbance("the watch ends regularly") { $0.endWatches(with: "") },
        Disturbance("the watch falls silent") { $0.freezeWatches() },
        Disturbance("an event is torn") { $0.endWatches(with: #"{"type":"MODIFIED","object":{"kind""#) },
        Disturbance("a line is no JSON") { $0.endWatches(with: "<html>\n") },
        Disturbance("an event has an unknown type") { $0.endWatches(with: #"{"type":"NEWS","object":{}}"# + "\n") },
        Disturbance("the version expires within the stream") { $0.endWatches(with: errorEvent(410, "Expired")) },
        Disturbance("the server fails within the stream") { $0.endWatches(with: errorEvent(500, "InternalError")) },
        Disturbance("the server is busy within the stream") { $0.endWatches(with: errorEvent(429, "TooManyRequests")) },
        Disturbance("the version has expired when the watch is opened again") { server in
            server.next(1, refusal(410, "Expired"), where: isWatch)
            server.cutWatches()
        },
        Disturbance("watches are refused for a while, with a time to come back") { server in
            server.next(3, refusal(429, "TooManyRequests", retryAfter: "0"), where: isWatch)
            server.cutWatches()
        },
        Disturbance("watches are refused for a while, without a time") { server in
            server.next(3, refusal(503, "ServiceUnavailable"), where: isWatch)
            server.cutWatches()
        },
        Disturbance("watching is forbidden for a while") { server in
            server.next(3, refusal(403, "Forbidden"), where: isWatch)
            server.cutWatches()
        },
        Disturbance("the new list breaks off") { server in
            server.next(2, .steps([.text(#"{"metadata":{"resourceVersion":"1"},"items":["#), .cut]), where: isList)
            server.endWatches(with: errorEvent(410, "Expired"))
        },
        Disturbance("the new list is nonsense") { server in
            server.next(2, .steps([.text("null")]), where: isList)
            server.endWatches(with: errorEvent(410, "Expired"))
        },
        Disturbance("the watch is cut again and again") { server in
            server.next(5, .steps([.cut]), where: isWatch)
            server.cutWatches()
        },
    ]

    private var limits: ReflectorLimits {
        var limits = ReflectorLimits()
        limits.backoffBase = .milliseconds(1)
        limits.backoffCeiling = .milliseconds(20)
        limits.silence = .milliseconds(800)
        return limits
    }

    private func configMap(_ name: String, _ world: WireWorld, _ value: String) -> ConfigMap {
        ConfigMap(
            metadata: ObjectMeta(name: name, namespace: world.namespace, labels: ["wire": "yes"]), data: ["v": value])
    }

    /// What a handler knows when it believes only what it is told.
    private final class Told: Sendable {
        private let known = Mutex<[String: String]>([:])
        private let mistakes = Mutex<[String]>([])

        func take(_ event: InformerEvent<ConfigMap>) {
            known.withLock { known in
                switch event {
                case .added(let object, _):
                    if known[object.metadata.name] != nil { note("\(object.metadata.name) added twice") }
                    known[object.metadata.name] = object.data["v"]
                case .updated(_, let object):
                    if known[object.metadata.name] == nil {
                        note("\(object.metadata.name) updated before it was added")
                    }
                    known[object.metadata.name] = object.data["v"]
                case .deleted(let object, _):
                    if known[object.metadata.name] == nil { note("\(object.metadata.name) deleted twice") }
                    known[object.metadata.name] = nil
                }
            }
        }

        var values: [String: String] { known.withLock { $0 } }
        var allMistakes: [String] { mistakes.withLock { $0 } }

        private func note(_ mistake: String) { mistakes.withLock { $0.append(mistake) } }
    }

    @Test("Whatever happens on the line, store and handlers arrive at the server's state", arguments: disturbances)
    func converges(disturbance: Disturbance) async throws {
        try await WireWorld.run { world in
            for number in 0..<5 { _ = try await world.direct.create(configMap("c\(number)", world, "0")) }
            let informer = Informer<ConfigMap>(
                api: world.disturbed, scope: InformerScope(namespace: world.namespace, labelSelector: "wire=yes"),
                limits: limits)
            let told = Told()
            informer.addHandler { told.take($0) }

            try await during(informer.run) {
                try await informer.waitForSync()
                // The first list comes from the server's cache and may be behind; the watch brings the rest.
                try await eventually("the watch is open") { world.faults.watchCount == 1 && informer.count == 5 }

                disturbance.happen(world.faults)
                let key = { (name: String) in ObjectKey(namespace: world.namespace, name: name) }
                _ = try await world.direct.patch(ConfigMap.self, key("c0"), .merge(["data": ["v": "1"]]))
                try await world.direct.delete(ConfigMap.self, key("c1"))
                _ = try await world.direct.create(configMap("c5", world, "5"))
                // Gone and back under the same name: another object, which no update may hide.
                try await world.direct.delete(ConfigMap.self, key("c2"))
                _ = try await world.direct.create(configMap("c2", world, "again"))

                let expected = ["c0": "1", "c2": "again", "c3": "0", "c4": "0", "c5": "5"]
                try await eventually("the store has the server's state") {
                    let held = informer.list().map { ($0.metadata.name, $0.data["v"] ?? "") }
                    return Dictionary(held, uniquingKeysWith: { $1 }) == expected
                }
                try await eventually("the handlers were told all of it") { told.values == expected }

                _ = try await world.direct.patch(ConfigMap.self, key("c3"), .merge(["data": ["v": "late"]]))
                try await eventually("it goes on as before") { told.values["c3"] == "late" }
            }

            #expect(told.allMistakes.isEmpty)
        }
    }

    @Test("A cut watch resumes where it was: nothing is listed again")
    func resumesWithoutList() async throws {
        try await WireWorld.run { world in
            let informer = Informer<ConfigMap>(
                api: world.disturbed, scope: InformerScope(namespace: world.namespace, labelSelector: "wire=yes"),
                limits: limits)

            try await during(informer.run) {
                try await eventually("the watch is open") { world.faults.watchCount == 1 }
                for number in 0..<3 {
                    world.faults.cutWatches()
                    _ = try await world.direct.create(configMap("c\(number)", world, "0"))
                    try await eventually("c\(number) is seen") { informer.count == number + 1 }
                }
            }

            #expect(world.faults.requests.filter(Self.isList).count == 1)
        }
    }
}
