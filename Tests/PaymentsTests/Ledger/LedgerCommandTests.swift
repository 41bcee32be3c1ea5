import JSON
import Processes
import Storage
import Testing

@testable import Payments

/// `farebox ledger …` as an administrator types it: a process of its own, beside whoever has the ledger open.
@Suite(
    "The commands on the ledger",
    .enabled("the program farebox is not beside these tests") { BuiltProgram.path("farebox") != nil },
    .timeLimit(.minutes(10)))
struct LedgerCommandTests {
    /// Runs a command; its exit code and what it printed.
    private func run(_ words: [String]) async throws -> (code: Int32, output: String) {
        let process = try SpawnedProcess(try #require(BuiltProgram.path("farebox")), ["ledger"] + words)
        let (output, status) = await process.end()
        try #require(status & 0x7F == 0, "it was ended by signal \(status & 0x7F)")
        return (status >> 8, output)
    }

    private func lines(_ output: String) -> [String] { output.split(separator: "\n").map(String.init) }

    @Test("check says what is there and ends with 0, while payments have the ledger open")
    func check() async throws {
        let place = try await TestLedger.filled()
        let path = try #require(place.configuration.sqlite)
        let ledger = try await place.reopen()

        let json = try await run(["check", "--sqlite", path])
        let text = try await run(["check", "--sqlite", path, "--format", "text"])

        let answer = try JSONReader().parse(Array(json.output.utf8))
        #expect(json.code == 0)
        #expect(answer["isRight"] == true)
        #expect(answer["entries"] == 5)
        #expect(answer["functions"]?.arrayValue?.first?["received"] == "25")
        #expect(text.code == 0)
        #expect(lines(text.output).last == "everything is right")
        ledger.close()
    }

    @Test(
        "check finds a damaged entry, names it, and ends with 1",
        arguments: [
            "UPDATE entry SET amount = 11 WHERE sequence = 2", "DELETE FROM entry WHERE sequence = 3",
            "UPDATE account SET balance = balance + 1",
        ])
    func damaged(sql: String) async throws {
        let place = try await TestLedger.filled()
        let path = try #require(place.configuration.sqlite)
        let meddler = try SQLiteConnection(path: path, create: false)
        try meddler.execute("DROP TRIGGER entry_update; DROP TRIGGER entry_delete; \(sql)")

        let json = try await run(["check", "--sqlite", path])
        let text = try await run(["check", "--sqlite", path, "--format", "text"])

        let answer = try JSONReader().parse(Array(json.output.utf8))
        #expect(json.code == 1)
        #expect(answer["isRight"] == false)
        #expect(answer["problems"]?.arrayValue?.isEmpty == false)
        #expect(text.code == 1)
        #expect(lines(text.output).contains { $0.hasPrefix("WRONG: ") })
    }

    @Test("check holds the ledger to a head that was written down")
    func anchor() async throws {
        let place = try await TestLedger.filled()
        let path = try #require(place.configuration.sqlite)
        let answer = try JSONReader().parse(Array(try await run(["check", "--sqlite", path]).output.utf8))
        let head = try #require(answer["head"]?.stringValue)

        let same = try await run(["check", "--sqlite", path, "--anchor", head])
        let other = try await run(["check", "--sqlite", path, "--anchor", "5:" + String(repeating: "0", count: 64)])

        #expect(same.code == 0)
        #expect(other.code == 1)
    }

    @Test("export prints each entry, as CSV with a header or as JSON lines, whole or from a number on")
    func export() async throws {
        let place = try await TestLedger.filled()
        let path = try #require(place.configuration.sqlite)

        let csv = try await run(["export", "--sqlite", path, "--format", "csv"])
        let json = try await run(["export", "--sqlite", path, "--format", "json", "--after", "3"])

        #expect(csv.code == 0)
        #expect(lines(csv.output).first == LedgerReport.entryColumns.joined(separator: ","))
        #expect(lines(csv.output).count == 6)
        #expect(
            lines(csv.output).dropFirst().allSatisfy {
                $0.split(separator: ",", omittingEmptySubsequences: false).count == LedgerReport.entryColumns.count
            })
        let entries = try lines(json.output).map { try JSONReader().parse(Array($0.utf8)) }
        #expect(json.code == 0)
        #expect(entries.map { $0["sequence"] } == ["4", "5"])
        #expect(entries.allSatisfy { $0["hash"]?.stringValue?.count == 64 })
    }

    @Test("statement prints one function's entries with the balance after each, within the times asked for")
    func statement() async throws {
        let place = try await TestLedger.filled()
        let path = try #require(place.configuration.sqlite)
        let account = try Sample.account().name

        let all = try await run(["statement", "--sqlite", path, "--account", account, "--format", "csv"])
        let late = try await run(
            ["statement", "--sqlite", path, "--account", account, "--from", "2027-01-15T08:00:01Z"])
        let other = try await run(["statement", "--sqlite", path, "--account", "other/fn"])

        let rows = lines(all.output).dropFirst().map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        let column = try #require(LedgerReport.statementColumns.firstIndex(of: "balance"))
        #expect(all.code == 0)
        #expect(lines(all.output).first == LedgerReport.statementColumns.joined(separator: ","))
        #expect(rows.map { $0[column] } == ["0", "10", "8", "23", "22"])
        #expect(late.code == 0)
        #expect(try lines(late.output).map { try JSONReader().parse(Array($0.utf8))["balance"] } == ["22"])
        #expect(other.code == 0)
        #expect(other.output.isEmpty)
    }

    @Test(
        "What is not understood ends with 2, and a ledger that is not there with 1; neither makes one",
        arguments: [
            (["check", "--sqlite", "PATH", "--format", "csv"], 2), (["check", "--sqlite", "PATH", "--anchor", "7"], 2),
            (["check", "--sqlite", "PATH", "--anchor", "1:zz"], 2), (["statement", "--sqlite", "PATH"], 2),
            (["statement", "--sqlite", "PATH", "--account", "no-slash"], 2),
            (["statement", "--sqlite", "PATH", "--account", "a/b", "--from", "today"], 2),
            (["export", "--sqlite", "PATH", "--after", "-1"], 2), (["check", "--sqlite", "PATH.none"], 1),
            (["check", "--colour"], 2),
        ] as [([String], Int32)])
    func refusals(words: [String], code: Int32) async throws {
        let place = try await TestLedger.filled()
        let path = try #require(place.configuration.sqlite)

        let answer = try await run(words.map { $0.replacing("PATH", with: path) })

        #expect(answer.code == code)
        #expect(answer.output.isEmpty)
        #expect(throws: (any Error).self) { _ = try SQLiteConnection(path: path + ".none", create: false) }
    }
}
