import CRDs
import Commands

/// `farebox crds`.
enum CRDsCommand {
    static let description = CommandDescription(
        "crds", "prints the custom resource definitions",
        discussion: "Prints YAML for `kubectl apply`: Function, Repository and Receipt.",
        examples: ["farebox crds | kubectl apply -f -"])

    @Sendable static func run(_ options: Options) async throws {
        print(String(decoding: try CRDManifests.all(), as: UTF8.self), terminator: "")
    }
}

/// `farebox version`.
enum VersionCommand {
    static let version = "0.1.0"

    static let description = CommandDescription(
        "version", section: .program, "prints the version")

    @Sendable static func run(_ options: Options) {
        print("farebox \(version)")
    }
}
