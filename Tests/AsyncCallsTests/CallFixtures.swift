import Glibc
import Processes
import Testing
import Timing

@testable import AsyncCalls

/// A kind of store that the tests run on.
enum TestStore: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case sqlite
    case nats

    var testDescription: String { rawValue }

    /// Those that this machine has; says which one is missing.
    static let available: [TestStore] = {
        guard NATSServer.isInstalled else {
            print("nats-server is not installed (apt-get install nats-server): its store is not tested")
            return [.sqlite]
        }
        return [.sqlite, .nats]
    }()
}

/// A fresh place for calls; it goes when the test is over.
final class TestPlace: Sendable {
    let kind: TestStore
    private let folder: String
    private let prefix: String

    init(_ kind: TestStore) throws {
        self.kind = kind
        // A folder that no other test has; mkdtemp puts letters of its own in the place of the X.
        var template = Array("/tmp/farebox-calls-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        prefix = "T" + AsyncCall.newID().prefix(12)
    }

    deinit {
        for name in ["calls.db", "calls.db-wal", "calls.db-shm", "calls.db.lock"] { unlink(folder + "/" + name) }
        rmdir(folder)
    }

    var path: String { folder + "/calls.db" }

    func open(_ limits: CallLimits = CallLimits()) throws -> any CallStore {
        switch kind {
        case .sqlite: return try SQLiteCallStore(path: path, limits: limits)
        case .nats:
            var configuration = AsyncConfiguration.NATS(servers: [try NATSServer.shared.get().url])
            configuration.prefix = prefix
            // The server sets so much aside for each stream.
            var limits = limits
            limits.bytesMaximum = min(limits.bytesMaximum, 8 << 20)
            return try NATSCallStore(configuration, limits: limits, answerLimit: .seconds(60))
        }
    }
}

/// A NATS server of Debian's package for the tests of this process, with JetStream in a folder of its own.
///
/// A shell waits beside it until this process has ended, however it ends, and removes it.
struct NATSServer: Sendable {
    let url: String

    static let isInstalled = access("/usr/sbin/nats-server", X_OK) == 0

    static let shared: Result<NATSServer, SpawnedProcess.Failure> = start()

    /// The server chooses a port and writes it down; the script's last line removes the folder.
    private static let script = """
        folder=$(mktemp -d /tmp/farebox-nats-XXXXXX)
        /usr/sbin/nats-server -js -sd "$folder/data" -a 127.0.0.1 -p -1 --ports_file_dir "$folder" -l "$folder/log" \\
            >/dev/null 2>&1 </dev/null &
        server=$!
        tries=0
        until url=$(grep -o 'nats://127.0.0.1:[0-9]*' "$folder"/*.ports 2>/dev/null) && [ -n "$url" ]; do
            tries=$((tries + 1))
            [ $tries -lt 1200 ] || break
            read -t 0.1 -r _ || true
        done
        echo "$url"
        while read -r _; do :; done
        kill -TERM $server
        wait $server
        rm -rf "$folder"
        """

    private static func start() -> Result<NATSServer, SpawnedProcess.Failure> {
        do throws(SpawnedProcess.Failure) {
            let process = try SpawnedProcess("/bin/bash", ["-c", script])
            var text: [UInt8] = []
            while !text.contains(UInt8(ascii: "\n")), case let bytes = process.read(), !bytes.isEmpty { text += bytes }
            let url = String(decoding: text.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
            guard url.hasPrefix("nats://") else { return .failure(.init(what: "nats-server did not start")) }
            return .success(NATSServer(url: url))
        } catch {
            return .failure(error)
        }
    }
}

extension CallLane {
    static let hello = CallLane(.function, namespace: "functions", name: "hello")
    static let other = CallLane(.function, namespace: "functions", name: "other.one")
    static let helloCallback = CallLane(.callback, namespace: "functions", name: "hello")
}

extension AsyncCall {
    static func test(
        _ target: String = "/", lane: CallLane = .hello, body: [UInt8] = [], callbackURL: String? = nil,
        acceptedAt: Timestamp = .now
    ) -> AsyncCall {
        AsyncCall(
            lane: lane, method: "POST", target: target, host: "example.xyz",
            headers: [Field("Content-Type", "text/plain"), Field("X-Strange", "ä \"ö\"")], body: body,
            callbackURL: callbackURL, acceptedAt: acceptedAt, isPaid: false)
    }
}

extension CallStore {
    /// Takes the next call with all of it.
    func take(_ lane: CallLane = .hello, within wait: Duration = .seconds(60)) async throws -> (CallLease, AsyncCall)? {
        guard let lease = try await next(in: lane, within: wait), let call = try await load(lease) else { return nil }
        return (lease, call)
    }
}
