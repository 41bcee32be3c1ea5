import CRDs
import KubernetesTypes
import Testing
import Timing

@testable import Operator

@Suite("Proofs of domains")
struct DomainProvingTests {
    private static let start = Time(Timestamp(secondsSinceEpoch: 1_800_000_000))
    private static let later = Time(Timestamp(secondsSinceEpoch: 1_800_003_600))
    private static let key = ObjectKey(namespace: "team-a", name: "shop")

    /// What was found, how often the record was missed then, whether the proof stands, and when to look again.
    typealias Step = (DomainProving.Finding, misses: Int32, isProven: Bool, wait: Int)

    @Test(
        "A proof is given by one look, kept over misses and silence, and lost by four misses in a row",
        arguments: [
            [(.stands, 0, true, 3600), (.stands, 0, true, 3600)],
            [(.stands, 0, true, 3600), (.absent, 1, true, 600), (.stands, 0, true, 3600), (.absent, 1, true, 600)],
            [
                (.stands, 0, true, 3600), (.absent, 1, true, 600), (.absent, 2, true, 600), (.unknown, 2, true, 600),
                (.absent, 3, true, 600), (.absent, 0, false, 15), (.absent, 0, false, 30), (.stands, 0, true, 3600),
            ],
            Array(repeating: (.unknown, 0, false, 15), count: 1),
            [(.stands, 0, true, 3600)] + Array(repeating: (.unknown, 0, true, 600), count: 20),
            [
                (.absent, 0, false, 15), (.unknown, 0, false, 30), (.absent, 0, false, 60), (.absent, 0, false, 120),
                (.absent, 0, false, 240), (.absent, 0, false, 480), (.absent, 0, false, 600), (.absent, 0, false, 600),
            ],
        ] as [[Step]])
    func machine(steps: [Step]) {
        var proving = DomainProving()

        for step in steps {
            let wait = proving.take(step.0, now: Self.start)

            #expect(proving.misses == step.misses)
            #expect((proving.since != nil) == step.isProven)
            #expect(wait == .seconds(step.wait))
        }
    }

    @Test("What an earlier process wrote down is gone on from, and never trusted beyond the limit")
    func resumed() {
        var proving = DomainProving(DomainProof(domain: "a.example", since: Self.start, misses: Int32.max))
        let before = (proving.since, proving.misses)

        _ = proving.take(.stands, now: Self.later)

        #expect(before == (Self.start, DomainProving.missesMaximum - 1))
        #expect(proving.since == Self.start && proving.misses == 0)
    }

    @Test(
        "The record names the Function, and is found among others",
        arguments: [
            (["farebox=team-a/shop"], true), (["v=spf1", " farebox=team-a/shop \n"], true), ([], false),
            (["farebox=team-a/shop2"], false), (["farebox=team-a/sho"], false), (["xfarebox=team-a/shop"], false),
            (["FAREBOX=team-a/shop"], false), (["farebox=team-b/shop"], false), (["farebox=team-a/shop x"], false),
        ])
    func record(texts: [String], stands: Bool) {
        let record = DomainRecord("shop.example.com", for: Self.key)

        #expect(record.description == "_farebox.shop.example.com TXT \"farebox=team-a/shop\"")
        #expect(record.stands(among: texts) == stands)
    }

    @Test("The book looks at each domain when it is due, and forgets what nobody wants any more")
    func book() {
        let book = DomainProofBook()
        let now = ContinuousClock.now
        let known = [DomainProof(domain: "old.example", since: Self.start)]

        let unfollowed = book.proofs(Self.key, ["old.example", "new.example"], known: known)
        book.follow(Self.key, ["old.example", "new.example"], known: known, now: now)
        let due = book.due(Self.key, now: now)
        let same = book.take(.stands, Self.key, "old.example", now: now, time: Self.later)
        let missed = book.take(.absent, Self.key, "new.example", now: now, time: Self.later)
        let soon = book.nextDue(Self.key)
        let proven = book.take(.stands, Self.key, "new.example", now: now, time: Self.later)
        let proofs = book.proofs(Self.key, ["old.example", "new.example"], known: [])
        book.follow(Self.key, ["new.example"], known: [], now: now)
        let gone = book.take(.absent, Self.key, "old.example", now: now, time: Self.later)
        book.forget(Self.key)

        #expect(unfollowed == known)
        #expect(due.map(\.domain) == ["new.example", "old.example"] && due.allSatisfy { !$0.isSilent })
        #expect(!same && !missed && proven && !gone)
        #expect(soon == now + .seconds(15))
        #expect(proofs == [known[0], DomainProof(domain: "new.example", since: Self.later)])
        #expect(book.nextDue(Self.key) == nil)
    }

    @Test("A domain that nobody answered for comes after the others")
    func silence() {
        let book = DomainProofBook()
        let now = ContinuousClock.now

        book.follow(Self.key, ["a.example", "b.example"], known: [], now: now)
        _ = book.take(.unknown, Self.key, "a.example", now: now)
        _ = book.take(.absent, Self.key, "b.example", now: now)
        let due = book.due(Self.key, now: now + .seconds(15))
        _ = book.take(.absent, Self.key, "a.example", now: now + .seconds(15))
        let answered = book.due(Self.key, now: now + .seconds(60))

        #expect(due.map(\.domain) == ["b.example", "a.example"] && due.map(\.isSilent) == [false, true])
        #expect(answered.map(\.isSilent) == [false, false])
    }

    private func function(_ name: String, _ domains: [String], created: Int64 = 0) -> Function {
        var metadata = ObjectMeta(name: name, namespace: "team-a")
        metadata.creationTimestamp = Time(Timestamp(secondsSinceEpoch: 1_800_000_000 + created))
        var function = Function(metadata: metadata, spec: FunctionSpec(image: "i"))
        function.spec.domains = domains
        return function
    }

    private func configuration(takesProofs: Bool = true) -> FunctionClusterConfiguration {
        var configuration = FunctionClusterConfiguration()
        configuration.rootDomain = "farebox.example"
        configuration.domains = [DomainGrant(namespace: "team-a", domains: ["granted.example"])]
        configuration.takesDomainProofs = takesProofs
        return configuration
    }

    @Test("What is neither granted nor proven is told with its record, and the root's hosts are nobody's to prove")
    func verdict() {
        let wanted = function("shop", ["granted.example", "shop.example.com", "x.farebox.example", "mine.example"])
        let proofs = ["mine.example", "x.farebox.example"].map { DomainProof(domain: $0, since: Self.start) }

        let verdict = DomainVerdict(wanted, configuration(), proofs: proofs) { _ in [] }
        let without = DomainVerdict(wanted, configuration(takesProofs: false), proofs: proofs) { _ in [] }

        #expect(DomainVerdict.domainsToProve(wanted, configuration()) == ["shop.example.com", "mine.example"])
        #expect(DomainVerdict.domainsToProve(wanted, configuration(takesProofs: false)).isEmpty)
        #expect(verdict.served == ["granted.example", "mine.example"])
        #expect(verdict.notAllowed == ["x.farebox.example"])
        #expect(
            verdict.trouble?.message.contains(
                "make the DNS record _farebox.shop.example.com TXT \"farebox=team-a/shop\"") == true)
        #expect(without.served == ["granted.example"] && without.notProven.isEmpty)
    }

    @Test("Of several that have proven a domain the oldest has it; one that only wants it has no say")
    func rivals() {
        let proof = [DomainProof(domain: "a.example", since: Self.start)]
        var older = function("older", ["a.example"], created: 1)
        let wishful = function("wishful", ["a.example"])
        let young = function("young", ["a.example"], created: 2)

        let first = DomainVerdict(young, configuration(), proofs: proof) { _ in [older, wishful, young] }
        older.status = FunctionStatus()
        older.status?.domainProofs = proof
        let second = DomainVerdict(young, configuration(), proofs: proof) { _ in [older, wishful, young] }

        #expect(first.served == ["a.example"])
        #expect(second.taken == [.init(domain: "a.example", holder: older.key)])
    }
}
