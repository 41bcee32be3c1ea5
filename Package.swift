// swift-tools-version: 6.2
import PackageDescription

/// Every module is built the same way: Swift 6 mode, strict, and no warning survives.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// A Swift module of ours and what it imports.
///
/// `hack/lint` checks that imports only point to a lower level.
func module(_ name: String, _ dependencies: [String] = []) -> Target {
    .target(name: name, dependencies: dependencies.map { .byName(name: $0) }, swiftSettings: strict)
}

/// The tests of one module, in `Tests/<Module>Tests`; `data` names folders that the tests read where they lie.
func tests(_ name: String, _ dependencies: [String] = [], data: [String] = []) -> Target {
    .testTarget(
        name: name + "Tests",
        dependencies: ([name] + dependencies).map { .byName(name: $0) },
        exclude: data,
        swiftSettings: strict)
}

let package = Package(
    name: "farebox",
    products: [.executable(name: "farebox", targets: ["Farebox"])],
    targets: [
        // C libraries from Debian. Each is imported by exactly one module.
        .systemLibrary(name: "CEpoll"),
        .systemLibrary(name: "CMalloc"),
        .systemLibrary(name: "CProcess"),
        .systemLibrary(name: "CCurl"),
        .systemLibrary(name: "COpenSSL"),
        .systemLibrary(name: "CSodium"),
        .systemLibrary(name: "CNghttp2"),
        .systemLibrary(name: "CTLS"),
        .systemLibrary(name: "CYAML"),
        .systemLibrary(name: "CArchive"),
        .systemLibrary(name: "CSQLite"),
        .systemLibrary(name: "CPostgres"),
        .systemLibrary(name: "CNATS"),
        .systemLibrary(name: "CResolv"),

        // Level 0: no module of ours below.
        module("JSON"),
        module("Storage", ["CSQLite"]),
        module("YAML", ["CYAML"]),
        module("Archive", ["CArchive"]),
        module("Commands"),
        module("Cryptography", ["COpenSSL", "CSodium"]),
        module("Telemetry"),
        module("Threads"),
        module("Timing"),
        module("TLS", ["CTLS"]),

        // Level 1.
        module("DNS", ["CResolv", "Threads"]),
        module("HTTP", ["CEpoll", "CCurl", "CNghttp2", "JSON", "TLS", "Telemetry", "Timing"]),
        module("KubernetesTypes", ["Cryptography", "JSON", "Timing"]),

        // Level 2.
        module("CRDs", ["KubernetesTypes", "JSON", "YAML", "Timing"]),
        module(
            "KubernetesClient",
            ["HTTP", "KubernetesTypes", "JSON", "YAML", "Cryptography", "Telemetry", "Threads", "Timing"]),
        module("Audit", ["Cryptography", "HTTP", "JSON", "Telemetry", "Timing"]),
        module("Scaling", ["KubernetesTypes", "Timing"]),

        // Level 3.
        module(
            "ControllerRuntime",
            [
                "CMalloc", "KubernetesClient", "KubernetesTypes", "Cryptography", "HTTP", "JSON", "Telemetry",
                "Threads",
                "Timing",
            ]),
        module("AsyncCalls", ["CNATS", "Cryptography", "HTTP", "JSON", "Storage", "Telemetry", "Threads", "Timing"]),
        module(
            "Builds",
            [
                "Archive", "CProcess", "Cryptography", "CRDs", "HTTP", "KubernetesTypes", "JSON", "YAML", "Telemetry",
                "Threads", "Timing",
            ]),
        module(
            "ClusterAccess",
            ["CRDs", "Cryptography", "HTTP", "JSON", "KubernetesClient", "KubernetesTypes", "Timing"]),
        module("GitHosts", ["Cryptography", "HTTP", "JSON", "KubernetesTypes", "Timing"]),
        module(
            "Payments",
            ["CPostgres", "Cryptography", "HTTP", "JSON", "Storage", "Telemetry", "Threads", "Timing"]),

        // Level 4: one process each.
        module(
            "Operator",
            [
                "Audit", "Builds", "ControllerRuntime", "CRDs", "Cryptography", "DNS", "GitHosts", "HTTP", "JSON",
                "KubernetesClient",
                "KubernetesTypes", "Scaling", "Telemetry", "Timing",
            ]),
        module(
            "Webhook",
            [
                "Audit", "ControllerRuntime", "CRDs", "Cryptography", "HTTP", "JSON", "KubernetesClient",
                "KubernetesTypes", "Telemetry", "Timing", "YAML",
            ]),
        module(
            "Gateway",
            [
                "AsyncCalls", "ControllerRuntime", "CRDs", "Cryptography", "HTTP", "JSON", "KubernetesClient",
                "KubernetesTypes", "Payments", "Scaling", "TLS", "Telemetry", "Threads", "Timing", "YAML",
            ]),
        module(
            "BuildService",
            [
                "Archive", "Builds", "ClusterAccess", "ControllerRuntime", "CRDs", "Cryptography", "HTTP", "JSON",
                "KubernetesClient",
                "KubernetesTypes", "Telemetry", "Timing", "YAML",
            ]),
        module(
            "PaymentService",
            [
                "ControllerRuntime", "CRDs", "Cryptography", "JSON", "KubernetesClient", "KubernetesTypes", "Payments",
                "Telemetry", "Timing",
            ]),
        module(
            "AdminService",
            [
                "Builds", "ClusterAccess", "ControllerRuntime", "CRDs", "Cryptography", "HTTP", "JSON",
                "KubernetesClient", "KubernetesTypes", "Telemetry", "Threads", "Timing",
            ]),
        module(
            "CommandLine",
            [
                "Builds", "ClusterAccess", "Commands", "CRDs", "Cryptography", "HTTP", "JSON", "KubernetesClient",
                "KubernetesTypes", "Telemetry", "Timing", "YAML",
            ]),

        // Level 5: reads configuration, wires, runs.
        .executableTarget(
            name: "Farebox",
            dependencies: [
                "AdminService", "AsyncCalls", "Audit", "BuildService", "Builds", "CommandLine", "Commands",
                "ControllerRuntime",
                "CRDs", "Cryptography", "Gateway",
                "HTTP",
                "JSON", "KubernetesClient", "KubernetesTypes", "Operator", "PaymentService", "Payments", "Telemetry",
                "Timing", "Webhook", "YAML",
            ],
            swiftSettings: strict),
    ]
)

/// A server that fails on demand, shared by tests.
package.targets.append(
    .target(name: "FaultServer", dependencies: ["HTTP"], path: "Tests/FaultServer", swiftSettings: strict))

package.targets.append(.target(name: "OpenSSLTool", path: "Tests/OpenSSLTool", swiftSettings: strict))

/// Child processes, and the programs of this package that lie beside its tests.
package.targets.append(.target(name: "Processes", path: "Tests/Processes", swiftSettings: strict))

package.targets.append(
    .target(name: "RawSockets", dependencies: ["Threads"], path: "Tests/RawSockets", swiftSettings: strict))

/// An API server in memory, shared by tests of controllers.
package.targets.append(
    .target(
        name: "MemoryCluster", dependencies: ["CRDs", "JSON", "KubernetesClient", "KubernetesTypes"],
        path: "Tests/MemoryCluster", swiftSettings: strict))

/// A process that tests of the ledger kill, and that `hack/bench payments` measures.
package.targets.append(
    .executableTarget(
        name: "LedgerDriver", dependencies: ["Cryptography", "Payments", "Timing"], path: "Tests/LedgerDriver",
        swiftSettings: strict))

/// Mirrors `Sources`, module by module; `Testing` is the toolchain's.
package.targets += [
    tests(
        "ControllerRuntime",
        ["FaultServer", "KubernetesClient", "KubernetesTypes", "HTTP", "JSON", "Telemetry", "Timing"]),
    tests("JSON"),
    tests(
        "KubernetesClient",
        ["FaultServer", "HTTP", "JSON", "KubernetesTypes", "Telemetry", "Timing", "Cryptography"]),
    tests("KubernetesTypes", ["JSON", "Timing"]),
    tests("Threads"),
    tests("Timing"),
    tests("TLS", ["CTLS", "OpenSSLTool"]),
    tests("DNS", ["Threads"]),
    tests("Telemetry"),
    tests("Cryptography", ["OpenSSLTool"]),
    tests("YAML", ["JSON"]),
    tests("Archive"),
    tests("Audit", ["Cryptography", "HTTP", "JSON", "Telemetry", "Timing"]),
    tests("Scaling", ["JSON", "KubernetesTypes", "Timing"]),
    tests("HTTP", ["OpenSSLTool", "RawSockets", "JSON", "TLS", "Telemetry", "Timing"]),
    tests(
        "BuildService",
        [
            "Archive", "Builds", "ClusterAccess", "CRDs", "Cryptography", "HTTP", "JSON", "KubernetesClient",
            "KubernetesTypes", "MemoryCluster", "RawSockets",
            "Telemetry", "Timing",
        ]),
    tests(
        "Builds", ["Archive", "CRDs", "HTTP", "Cryptography", "JSON", "KubernetesTypes"],
        data: ["Golden", "Vectors"]),
    tests("CRDs", ["JSON", "KubernetesTypes", "YAML"]),
    tests(
        "Payments",
        ["Cryptography", "HTTP", "JSON", "Processes", "RawSockets", "Storage", "Telemetry", "Threads", "Timing"],
        data: ["Vectors"]),
    tests(
        "PaymentService",
        [
            "ControllerRuntime", "CRDs", "Cryptography", "JSON", "KubernetesClient", "KubernetesTypes", "MemoryCluster",
            "Payments", "Telemetry", "Timing", "YAML",
        ]),
    tests("GitHosts", ["Cryptography", "HTTP", "JSON", "OpenSSLTool", "RawSockets", "Timing"], data: ["Vectors"]),
    tests(
        "Operator",
        [
            "Audit", "Builds", "ControllerRuntime", "CRDs", "Cryptography", "DNS", "GitHosts", "HTTP", "JSON",
            "KubernetesClient", "KubernetesTypes", "MemoryCluster", "Scaling", "Telemetry", "Timing", "YAML",
        ],
        data: ["Golden"]),
    tests(
        "Webhook",
        [
            "Audit", "ControllerRuntime", "CRDs", "Cryptography", "HTTP", "JSON", "KubernetesClient", "KubernetesTypes",
            "MemoryCluster", "Telemetry", "Timing", "YAML",
        ],
        data: ["Payloads", "Vectors"]),
    tests(
        "Gateway",
        [
            "AsyncCalls", "OpenSSLTool", "RawSockets", "CRDs", "Cryptography", "HTTP", "JSON", "KubernetesClient",
            "KubernetesTypes", "MemoryCluster", "Payments", "Scaling", "TLS", "Telemetry", "Timing",
        ]),
    tests("AsyncCalls", ["Cryptography", "HTTP", "JSON", "Processes", "RawSockets", "Storage", "Telemetry", "Timing"]),
    tests(
        "AdminService",
        [
            "Builds", "ClusterAccess", "CRDs", "Cryptography", "HTTP", "JSON", "KubernetesClient", "KubernetesTypes",
            "MemoryCluster", "RawSockets", "Telemetry", "Timing",
        ]),
    tests("Commands"),
    tests(
        "CommandLine",
        [
            "Builds", "Commands", "CRDs", "Cryptography", "HTTP", "JSON", "KubernetesClient", "KubernetesTypes",
            "MemoryCluster", "OpenSSLTool", "Processes", "TLS", "Telemetry", "Timing", "YAML",
        ]),
]

/// `hack/fuzz`: the parsers of HTTP under libFuzzer, which is the toolchain's. Named by the environment, since its flags would
/// slow everything else down.
if let libFuzzer = Context.environment["FAREBOX_LIBFUZZER"] {
    let covered: [SwiftSetting] = [.unsafeFlags(["-sanitize=fuzzer"])]
    for target in package.targets where target.name == "HTTP" {
        target.swiftSettings = (target.swiftSettings ?? []) + covered
    }
    package.targets.append(.systemLibrary(name: "CFuzzer", path: "Tests/CFuzzer"))
    package.targets.append(
        .executableTarget(
            name: "HTTPFuzzer", dependencies: ["CFuzzer", "HTTP"], path: "Tests/HTTPFuzzer", exclude: ["Corpus"],
            swiftSettings: strict + covered,
            linkerSettings: [.unsafeFlags([libFuzzer])]))
}
