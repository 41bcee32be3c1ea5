import Glibc
import Payments
import Processes

/// A PostgreSQL server of Debian's package for the tests of this process: a folder of its own, no TCP.
///
/// A shell waits beside it until this process has ended, however it ends, and removes it.
struct PostgresServer: Sendable {
    /// How libpq reaches it.
    let connection: String

    private static let programs = "/usr/lib/postgresql/15/bin"

    static let isInstalled = access(programs + "/initdb", X_OK) == 0

    static let shared: Result<PostgresServer, LedgerError> = start()

    /// The folder lies in /tmp because a socket's path has at most 107 bytes; the script's last line removes it.
    private static let script = """
        folder=$(mktemp -d /tmp/farebox-postgres-XXXXXX)
        as=''
        if [ "$(id -u)" = 0 ]; then
            chown postgres "$folder"
            as='setpriv --reuid postgres --regid postgres --clear-groups'
        fi
        cd "$folder"
        $as \(programs)/initdb -D "$folder/data" -A trust -U farebox -E UTF8 --locale C >"$folder/log" 2>&1
        $as \(programs)/postgres -D "$folder/data" -k "$folder" -c listen_addresses= -c max_connections=200 \\
            >>"$folder/log" 2>&1 </dev/null &
        server=$!
        tries=0
        until \(programs)/pg_isready -q -h "$folder" -U farebox; do
            tries=$((tries + 1))
            [ $tries -lt 1200 ] || break
            read -t 0.1 -r _ || true
        done
        echo "$folder"
        while read -r _; do :; done
        kill -INT $server
        wait $server
        rm -rf "$folder"
        """

    private static func start() -> Result<PostgresServer, LedgerError> {
        do throws(SpawnedProcess.Failure) {
            let process = try SpawnedProcess("/bin/bash", ["-c", script])
            var text: [UInt8] = []
            while !text.contains(UInt8(ascii: "\n")), case let bytes = process.read(), !bytes.isEmpty { text += bytes }
            guard let end = text.firstIndex(of: UInt8(ascii: "\n")), end > 0 else {
                return .failure(.unavailable("PostgreSQL did not start"))
            }
            let folder = String(decoding: text[..<end], as: UTF8.self)
            return .success(PostgresServer(connection: "host=\(folder) user=farebox dbname=postgres"))
        } catch {
            return .failure(.unavailable(error.what))
        }
    }
}
