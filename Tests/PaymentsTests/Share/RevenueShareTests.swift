import JSON
import Testing

@testable import Payments

@Suite("Revenue share")
struct RevenueShareTests {
    @Test("The host is paid until the balance is positive, then the author")
    func choosesReceiver() throws {
        let vectors = try Vectors.load("revshare.json")
        let host = try PaymentPointer(try #require(vectors["host_pointer"]?.stringValue))
        let share = RevenueShare(host: host)
        let cases = try #require(vectors["cases"]?.arrayValue)
        #expect(cases.count == 5)

        for vector in cases {
            let name = try PayeeName(path: "/" + #require(vector["id"]?.stringValue))
            let author = try vector["annotation"]?.stringValue.map { try PaymentPointer($0) }
            let balance = UInt64(try #require(vector["balance"]?.integerValue))

            // A query for the host pays the host, whoever else has a balance; one for nobody is refused.
            let receiver = name.map { $0 == .host ? host : share.receiver(author: author, balance: balance) }

            #expect(receiver?.text == vector["expect"]?.stringValue)
        }
    }

    @Test("Only money to the host's pointer, letter by letter, and for a function is credit")
    func credits() throws {
        let vectors = try Vectors.load("revshare.json")
        let share = RevenueShare(host: try PaymentPointer(try #require(vectors["host_pointer"]?.stringValue)))
        let rules = try #require(vectors["credit_rule"]?.arrayValue)
        #expect(rules.count == 4)

        for rule in rules {
            let endpoint = try PaymentPointer(try #require(rule["verify_json"]?["spspEndpoint"]?.stringValue))
            let isCredited = share.credits(endpoint) && rule["verify_json"]?["id"] != nil

            #expect(isCredited == (rule["expect_increment"] != 0))
        }
    }

    @Test("The same function, balance and pointer always give the same receiver")
    func isDeterministic() throws {
        let share = RevenueShare(host: try PaymentPointer("$host.example"))
        let author = try PaymentPointer("$author.example")

        #expect(Set((0..<100).map { _ in share.receiver(author: author, balance: 1) }) == [author])
        #expect(share.receiver(author: author, balance: .max) == author)
        #expect(share.receiver(author: nil, balance: .max) == share.host)
    }

    @Test("Functions are found by owner and name without regard to case, and by a joined name that only one has")
    func findsFunctions() async throws {
        let mine = try TestService.function("alex-ellis-fn")
        let other = PayableFunction(
            account: try #require(PaymentAccount(namespace: "other", function: "alex-ellis-fn")), terms: mine.terms)
        let single = try TestService.function("bob-x")
        let directory = FixedDirectory([("alex-ellis", "fn", mine), ("alex", "ellis-fn", other), ("bob", "x", single)])

        #expect(try await directory.function(named: .function(owner: "Alex-Ellis", name: "fn")) == mine)
        #expect(try await directory.function(named: .function(owner: "ALEX", name: "ellis-fn")) == other)
        #expect(try await directory.function(named: .joined("Bob-X")) == single)
        #expect(try await directory.function(of: other.account) == other)
        await #expect(throws: PaymentDirectoryError.ambiguous) {
            try await directory.function(named: .joined("alex-ellis-fn"))
        }
        await #expect(throws: PaymentDirectoryError.unknown) {
            try await directory.function(named: .function(owner: "bob", name: "y"))
        }
    }
}
