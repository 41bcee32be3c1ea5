import CRDs
import Testing

@testable import Operator

@Suite("Which images are kept")
struct ImageRetentionTests {
    private static func status(
        _ functions: [String: String?], previous: [String] = [], retired: [String] = []
    ) -> RepositoryStatus {
        var status = RepositoryStatus()
        status.functions = functions.sorted { $0.key < $1.key }.map { name, image in
            var entry = RepositoryFunction(name: name, state: .deployed)
            entry.image = image
            entry.previousImages = previous
            return entry
        }
        status.retiredImages = retired
        return status
    }

    private static func carried(
        _ before: RepositoryStatus, _ after: RepositoryStatus, keeps: Int = 2
    ) -> RepositoryStatus {
        var after = after
        ImageRetention(keeps: keeps).carry(before, into: &after)
        return after
    }

    @Test("The image before a new one is kept, the newest first")
    func newImage() {
        let after = Self.carried(Self.status(["f": "b"], previous: ["a"]), Self.status(["f": "c"]))

        #expect(after.functions[0].previousImages == ["b", "a"])
        #expect(after.retiredImages.isEmpty)
    }

    @Test("While the next one is built nothing is lost, and what did not change does not count twice")
    func building() {
        let building = Self.carried(Self.status(["f": "b"], previous: ["a"]), Self.status(["f": nil]))
        let same = Self.carried(building, Self.status(["f": "b"]))

        #expect(building.functions[0].previousImages == ["b", "a"])
        #expect(same.functions[0].previousImages == ["a"])
    }

    @Test("What is beyond the number to keep is retired", arguments: [0, 1, 2])
    func overflow(keeps: Int) {
        let after = Self.carried(Self.status(["f": "c"], previous: ["b", "a"]), Self.status(["f": "d"]), keeps: keeps)

        #expect(after.functions[0].previousImages == Array(["c", "b", "a"].prefix(keeps)))
        #expect(after.retiredImages == Array(["c", "b", "a"].dropFirst(keeps)))
    }

    @Test("Going back to an image brings it out of retirement")
    func rollback() {
        let after = Self.carried(Self.status(["f": "c"], previous: ["b"], retired: ["a"]), Self.status(["f": "a"]))

        #expect(after.functions[0].previousImages == ["c", "b"])
        #expect(after.retiredImages.isEmpty)
    }

    @Test("A function that left the stack leaves all of its images, but for those that another one has")
    func leftTheStack() {
        let after = Self.carried(Self.status(["f": "x", "g": "y"], previous: ["z"]), Self.status(["g": "x"]))

        #expect(after.functions[0].previousImages == ["y", "z"])
        #expect(after.retiredImages.isEmpty)
    }

    @Test("No more are remembered than the schema allows")
    func bounded() {
        let many = (0..<500).map { "i\($0)" }
        let after = Self.carried(Self.status(["f": "x"], retired: many), Self.status(["f": "x"]))

        #expect(after.retiredImages == Array(many.suffix(RepositoryStatus.retiredImagesMaximum)))
    }
}
