import Glibc
import Processes
import Testing
import Threads
import Timing

@testable import Payments

/// A process that works on a ledger is killed again and again; nothing that it was told is ever lost or counted twice.
///
/// `FAREBOX_TEST_KILLS` sets how often, `FAREBOX_TEST_SUBMISSIONS` how often one receipt is submitted.
@Suite("The ledger and sudden death", .serialized)
struct CrashTests {
    private static func count(_ name: String, default number: Int) -> Int {
        getenv(name).flatMap { Int(String(cString: $0)) } ?? number
    }

    /// How often the process is killed: PostgreSQL takes longer to begin with, so fewer times.
    private func kills(_ store: TestStore) -> Int {
        Self.count("FAREBOX_TEST_KILLS", default: store == .sqlite ? 200 : 40)
    }

    @Test("Killed at any moment, it has credited what it verified, exactly once", arguments: TestStore.available)
    func survivesKills(store: TestStore) async throws {
        let place = try TestLedger(store)
        let kills = kills(store)
        var acknowledged: [(nonce: [UInt8], totals: [UInt8: UInt64])] = []
        var sold: UInt64 = 0

        for round in 0..<kills {
            let fault = [nil, "before-commit:\(2 + round % 7)", "after-commit:\(2 + round % 7)"][round % 3]
            let answers = try await DriverProcess.run(
                place, round: round, fault: fault, killAfter: fault == nil ? Int.random(in: 1...40) : nil)
            acknowledged.append((answers.nonce, answers.totals))
            sold += answers.sold
        }

        let ledger = try await place.reopen()
        var received: UInt128 = 0
        for (nonce, totals) in acknowledged {
            for stream in UInt8(0)..<16 {
                let total = try await ledger.stream(nonce: nonce, stream: stream)?.total ?? 0
                #expect(total >= totals[stream] ?? 0, "an answered credit is lost")
                #expect(total <= (totals[stream] ?? 0) + 9, "more was credited than was submitted")
                received += UInt128(total)
            }
        }
        let audit = try await LedgerAudit.run(ledger)
        #expect(audit.problems == [])
        #expect(audit.functions.map(\.received) == [received])
        #expect(UInt128(sold) <= audit.functions.first?.calls ?? 0, "an answered sale is lost")
        #expect(acknowledged.count { !$0.totals.isEmpty } > kills / 2, "the process hardly ever got to work")
    }

    @Test("One receipt, submitted by 64 at once for a long time, is credited once", arguments: TestStore.available)
    func creditsOnce(store: TestStore) async throws {
        let place = try TestLedger(store)
        let ledger = try await place.open()
        try await ledger.open(Sample.connection())
        let submissions = Self.count("FAREBOX_TEST_SUBMISSIONS", default: 20_000) / 64

        let refusals = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<64 {
                group.addTask {
                    var refusals = 0
                    for _ in 0..<submissions {
                        do {
                            _ = try await ledger.credit(Sample.proof(7), now: Sample.now)
                        } catch LedgerError.nothingNew(highest: 7) {
                            refusals += 1
                        } catch {
                            Issue.record("a submission was not answered: \(error)")
                        }
                    }
                    return refusals
                }
            }
            return await group.reduce(0, +)
        }

        #expect(refusals == 64 * submissions - 1)
        #expect(try await LedgerAudit.run(ledger).functions.map(\.received) == [7])
    }
}

/// Runs `LedgerDriver hammer` and kills it.
enum DriverProcess {
    struct Answers: Sendable {
        let nonce: [UInt8]
        /// The last total that was answered, by stream.
        var totals: [UInt8: UInt64] = [:]
        /// Leased calls whose sale was answered.
        var sold: UInt64 = 0
    }

    struct Failure: Error {
        let what: String
    }

    /// Runs the driver until it was killed: by itself at a fault point, or after so many answers.
    static func run(
        _ place: TestLedger, round: Int, fault: String?, killAfter: Int?
    ) async throws -> Answers {
        var arguments = ["hammer", "round=\(round)", "streams=16"]
        if let fault { arguments.append("fault=\(fault)") }
        if let postgres = place.configuration.postgres {
            arguments += ["postgres=\(postgres.connection)", "schema=\(postgres.schema)"]
        } else {
            arguments.append("sqlite=\(place.configuration.sqlite ?? "")")
        }
        let words = arguments
        return try await withCheckedThrowingContinuation { continuation in
            let code = DetachedThread.start {
                continuation.resume(with: Result { try follow(words, round: round, killAfter: killAfter) })
            }
            if code != 0 { continuation.resume(throwing: Failure(what: "no thread")) }
        }
    }

    private static func follow(_ words: [String], round: Int, killAfter: Int?) throws -> Answers {
        let process = try SpawnedProcess(try program(), words)
        let nonce = (0..<16).map { UInt8(truncatingIfNeeded: $0 < 8 ? round >> (8 * $0) : $0) }
        var answers = Answers(nonce: nonce)
        var (lines, rest) = (0, [UInt8]())
        while case let bytes = process.read(), !bytes.isEmpty {
            rest += bytes
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                try note(String(decoding: rest[..<end], as: UTF8.self), in: &answers)
                rest.removeSubrange(...end)
                lines += 1
            }
            if let killAfter, lines >= killAfter { kill(process.identifier, SIGKILL) }
        }
        let ending = process.wait()
        guard ending & 0x7F == SIGKILL else { throw Failure(what: "the driver ended with \(ending)") }
        return answers
    }

    private static func note(_ line: String, in answers: inout Answers) throws {
        let words = line.split(separator: " ")
        if words.count == 4, words[0] == "A", let stream = UInt8(words[1]), let total = UInt64(words[2]),
            let amount = UInt64(words[3])
        {
            guard total - amount == answers.totals[stream] ?? 0 else {
                throw Failure(what: "a credit of \(amount) does not lead to \(total)")
            }
            answers.totals[stream] = total
        } else if words.count == 2, words[0] == "S", let calls = UInt64(words[1]) {
            answers.sold += calls
        } else {
            throw Failure(what: "the driver says \(line)")
        }
    }

    /// The program lies beside the bundle of these tests.
    private static func program() throws -> String {
        guard let maps = fopen("/proc/self/maps", "r") else { throw Failure(what: "no /proc") }
        defer { fclose(maps) }
        var line = [CChar](repeating: 0, count: 4096)
        while fgets(&line, Int32(line.count), maps) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard text.contains("PackageTests.xctest"), let start = text.firstIndex(of: "/"),
                let end = text.lastIndex(of: "/")
            else { continue }
            return text[start..<end] + "/LedgerDriver"
        }
        throw Failure(what: "the bundle of the tests is nowhere")
    }
}
