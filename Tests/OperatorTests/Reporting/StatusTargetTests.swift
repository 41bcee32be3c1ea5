import CRDs
import FoundationEssentials
import GitHosts
import JSON
import Testing

@testable import Operator

@Suite("Where a click on a commit status leads")
struct StatusTargetTests {
    private static func vectors() throws -> [JSONValue] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "GitHostsTests/Vectors/urls.json")
        return try JSONReader().parse(Array(try Data(contentsOf: file)))["status_target"]?.arrayValue ?? []
    }

    @Test("is what the vectors say")
    func vectors() throws {
        let vectors = try Self.vectors()
        #expect(vectors.count >= 11)
        for vector in vectors {
            let text = { (key: String) in vector[key]?.stringValue ?? "" }
            // `https://user.<root>/function`: scheme and root domain of the owners' hosts.
            let pretty = text("gateway_pretty_url").split(separator: "/").map(String.init)
            let target =
                pretty.count > 1
                ? StatusTarget(
                    publicURL: pretty[0] + "//gateway.example.com",
                    rootDomain: String(pretty[1].dropFirst("user.".count)))
                : StatusTarget(publicURL: text("gateway_public_url"), rootDomain: "")
            let subject = StatusTarget.Subject(
                context: text("context"), isStack: text("context") == StatusReport.stackContext,
                owner: OwnerName(text("owner")), repository: text("repo"), commit: text("sha"),
                repositoryURL: text("event_url"))
            // What is none of the known states is treated as one that is not over.
            let state = StatusState(rawValue: text("status")) ?? .pending

            #expect(target.url(for: state, subject) == text("expect"), "\(vector)")
        }
    }

    @Test("keeps the port of the gateway's address, and gives a host to no owner that cannot have one")
    func portsAndOwners() {
        let target = StatusTarget(publicURL: "http://farebox.test:8080/", rootDomain: "farebox.test")
        func url(_ owner: String) -> String {
            target.url(
                for: .success,
                StatusTarget.Subject(
                    context: "cart", isStack: false, owner: OwnerName(owner), repository: "shop", commit: "c",
                    repositoryURL: "https://x"))
        }

        #expect(url("Alice") == "http://alice.farebox.test:8080/cart")
        #expect(url("a_b") == "http://farebox.test:8080/function/a_b-cart")
    }
}
