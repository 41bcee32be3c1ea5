import Dispatch
import Glibc
import Testing

/// The whole process, killed under load over HTTP; `Tests/EndToEnd/kill_payments.py` does it and counts the money.
///
/// `FAREBOX_TEST_KILLS` sets how often.
@Suite("The payments process and sudden death", .timeLimit(.minutes(10)))
struct KilledProcessTests {
    @Test(
        "Killed at any moment, it has credited what the wallet received, exactly once",
        .enabled("the program farebox is not beside these tests") { BuiltProgram.path("farebox") != nil })
    func survivesKills() async throws {
        let program = try #require(BuiltProgram.path("farebox"))
        let tests = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let kills = getenv("FAREBOX_TEST_KILLS").map { String(cString: $0) } ?? "20"

        let process = try SpawnedProcess(
            "/usr/bin/env", ["python3", "-B", tests + "/EndToEnd/kill_payments.py", program, kills])

        let (output, status) = await Self.end(of: process)
        #expect(status == 0, "\(output)")
        #expect(output.contains("\(kills) kills: "))
    }

    /// Reads all output and waits for the end, on a thread that nobody shares.
    private static func end(of process: SpawnedProcess) async -> (output: String, status: Int32) {
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "killed process").async {
                var output: [UInt8] = []
                while case let bytes = process.read(), !bytes.isEmpty { output += bytes }
                continuation.resume(returning: (String(decoding: output, as: UTF8.self), process.wait()))
            }
        }
    }
}
