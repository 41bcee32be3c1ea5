import Builds
import Commands
import Glibc
import Testing

@testable import CommandLine

@Suite("Programs of this machine that build images")
struct LocalBuilderTests {
    private let work = LocalBuilder.Work(
        folder: "/tmp/x", image: "r/a:1", arguments: ["B": "2", "A": "1 1"], platforms: ["linux/arm64"], pushes: true,
        skipsCache: true)

    @Test("buildah, docker and podman are called alike, and push in a second call")
    func calls() {
        let docker = LocalBuilder.docker.calls(work, path: "/bin/docker")
        let buildah = LocalBuilder.buildah.calls(work, path: "/bin/buildah")

        #expect(
            docker.first?.arguments == [
                "build", "--tag", "r/a:1", "--file", "/tmp/x/Dockerfile", "--platform", "linux/arm64", "--no-cache",
                "--build-arg", "A=1 1", "--build-arg", "B=2", "/tmp/x",
            ])
        #expect(docker.last?.arguments == ["push", "r/a:1"])
        #expect(buildah.first?.arguments.prefix(4) == ["build", "--format", "docker", "--layers"])
        #expect(buildah.count == 2)
    }

    @Test("buildctl builds and pushes in one call")
    func buildctl() {
        let calls = LocalBuilder.buildctl.calls(work, path: "/bin/buildctl")

        #expect(calls.count == 1)
        #expect(calls.first?.arguments.suffix(2) == ["--output", "type=image,name=r/a:1,push=true"])
        #expect(calls.first?.arguments.contains("build-arg:A=1 1") == true)
    }

    @Test("The first program that is there is used; buildctl only with a daemon's address")
    func choice() throws {
        let place = try ScratchPlace()
        for name in ["buildah", "buildctl", "docker"] { try place.write("#!/bin/sh\n", to: name) }
        for name in ["buildah", "buildctl"] { chmod(place.path + "/" + name, 0o755) }

        let first = try LocalBuilder.choose(named: nil, search: "/none:relative:" + place.path, hasBuildKitHost: false)
        let named = try LocalBuilder.choose(named: "buildctl", search: place.path, hasBuildKitHost: false)

        #expect(first.builder == .buildah)
        #expect(first.path == place.path + "/buildah")
        #expect(named.builder == .buildctl)
        #expect(throws: CommandFailure.self) {
            try LocalBuilder.choose(named: nil, search: "/none", hasBuildKitHost: true)
        }
        #expect(throws: CommandFailure.self) {
            try LocalBuilder.choose(named: "make", search: place.path, hasBuildKitHost: true)
        }
    }
}
