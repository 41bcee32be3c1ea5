import ClusterAccess
import HTTP
import Testing

@testable import AdminService

@Suite("The paths of OpenFaaS' REST API")
struct AdminRouteTests {
    @Test(
        "Each path has one meaning",
        arguments: [
            ("/healthz", .health), ("/system/info", .info), ("/system/functions", .functions),
            ("/system/function/hello", .function("hello")),
            ("/system/function/hello.team-a", .function("hello.team-a")),
            ("/system/scale-function/a_B-c.d", .scale("a_B-c.d")), ("/system/logs", .logs),
            ("/system/secrets", .secrets), ("/system/namespaces", .namespaces),
            ("/system/namespace/", .namespace("")), ("/system/namespace/team-a", .namespace("team-a")),
            ("/system/metrics", .metrics),
        ] as [(String, AdminRoute)])
    func known(path: String, expected: AdminRoute) {
        #expect(AdminRoute(path: path) == expected)
    }

    @Test(
        "Whatever else is nothing",
        arguments: [
            "", "/", "/system", "/system/", "/system/functions/", "/system//functions", "/system/function/",
            "/system/function/a/b", "/system/function/%61", "/system/function/a%2fb", "/system/function/é",
            "/system/function/a b", "/system/scale-function", "/system/alert", "/ui/", "/healthz/", "/Healthz",
            "/system/function/" + String(repeating: "a", count: 254), "/system/namespace",
        ])
    func unknown(path: String) {
        #expect(AdminRoute(path: path) == nil)
    }

    @Test("A query is read as Go writes it")
    func query() throws {
        let query = try QueryParameters("namespace=team-a&since=2026-01-31T12%3A00%3A00%2B01%3A00&tail=&a=b+c&a=d&&x")

        #expect(query["namespace"] == "team-a")
        #expect(query["since"] == "2026-01-31T12:00:00+01:00")
        #expect(query["tail"] == nil)
        #expect(query["a"] == "b c")
        #expect(query["x"] == nil)
        #expect(throws: AdminRefusal.self) { try QueryParameters("a=%zz") }
        #expect(throws: AdminRefusal.self) { try QueryParameters("a=%ff") }
        #expect(throws: AdminRefusal.self) { try QueryParameters("follow=maybe").flag("follow") }
    }

    @Test("What a client says about the log it wants")
    func logQuery() throws {
        let quiet = try AdminHandler.wanted(QueryParameters("name=a&follow=false&tail=-1"))
        let loud = try AdminHandler.wanted(QueryParameters("name=a&follow=1&tail=20&instance=a-1"))
        let future = try AdminHandler.wanted(QueryParameters("since=2999-01-01T00%3A00%3A00Z"))

        #expect(!quiet.follows && quiet.tail == nil && quiet.since == nil)
        #expect(loud.follows && loud.tail == 20 && loud.instance == "a-1")
        #expect(future.since == .seconds(1))
        for wrong in ["tail=x", "tail=99999999999999999999", "tail=1000001", "since=yesterday", "follow=perhaps"] {
            #expect(throws: AdminRefusal.self) { try AdminHandler.wanted(QueryParameters(wrong)) }
        }
    }
}
