import Glibc
import Processes
import Testing

/// Whole processes, killed under load over HTTP; `Tests/EndToEnd/kill_payments.py` and `kill_gateway.py` do it and count.
///
/// `FAREBOX_TEST_KILLS` sets how often; a gateway takes longer to come back and is killed half as often.
@Suite("Payments, gateways and sudden death", .timeLimit(.minutes(20)))
struct KilledProcessTests {
    @Test(
        "Killed at any moment, payments have credited what the wallet received, exactly once",
        .enabled("the program farebox is not beside these tests") { BuiltProgram.path("farebox") != nil },
        arguments: TestStore.available)
    func payments(store: TestStore) async throws {
        let place = store == .sqlite ? [] : ["--postgres", try PostgresServer.shared.get().connection]

        try await kill("kill_payments.py", times: kills, place)
    }

    @Test(
        "Two gateways, killed at any moment, have let through no call that was not paid for, and lost no payment",
        .enabled("the program farebox is not beside these tests") { BuiltProgram.path("farebox") != nil })
    func gateways() async throws {
        try await kill("kill_gateway.py", times: kills / 2)
    }

    @Test(
        "Calls that do not wait are made at least once and answered, whenever gateways are killed",
        .enabled("the program farebox is not beside these tests") { BuiltProgram.path("farebox") != nil },
        arguments: access("/usr/sbin/nats-server", X_OK) == 0 ? ["", "--nats"] : [""])
    func asyncCalls(store: String) async throws {
        try await kill("kill_async.py", times: 3, ["600"] + (store.isEmpty ? [] : [store]))
    }

    private var kills: Int {
        getenv("FAREBOX_TEST_KILLS").flatMap { Int(String(cString: $0)) } ?? 20
    }

    private func kill(_ script: String, times: Int, _ more: [String] = []) async throws {
        let program = try #require(BuiltProgram.path("farebox"))
        let tests = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

        let process = try SpawnedProcess(
            "/usr/bin/env", ["python3", "-B", tests + "/EndToEnd/\(script)", program, "\(times)"] + more)

        let (output, status) = await process.end()
        #expect(status == 0, "\(output)")
        #expect(output.contains("\(times) kills: "))
    }
}
