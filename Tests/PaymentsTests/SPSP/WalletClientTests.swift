import Glibc
import HTTP
import RawSockets
import Telemetry
import Testing

@testable import Payments

@Suite("Asking wallets", .timeLimit(.minutes(10)))
struct WalletClientTests {
    /// Rules for wallets on loopback; which addresses may be asked is the test's.
    private func configuration(allowed: [String] = ["127.0.0.1/32"]) -> WalletConfiguration {
        var configuration = WalletConfiguration()
        // The longest there may be: the wallet is not slow, a busy machine is.
        configuration.timeout = "1m"
        configuration.allowsPorts = true
        configuration.allowsPlainHTTP = true
        configuration.allowedCIDRs = allowed
        return configuration
    }

    private func query(
        _ url: String, _ configuration: WalletConfiguration? = nil, logger: Logger = Logger(label: "test")
    ) async throws -> HTTPClientResponse {
        let configuration = configuration ?? self.configuration()
        let pointer = try PaymentPointer(url, rules: configuration.pointerRules)
        return try await WalletClient(configuration: configuration, authorities: nil, logger: logger)
            .query(pointer, headers: HTTPHeaders([("Receipt-Nonce", "n")]))
    }

    @Test(
        "No address outside the public Internet is asked, whatever name leads there",
        arguments: [
            "http://127.0.0.1:PORT/", "http://localhost:PORT/", "http://0x7f.1:PORT/", "http://2130706433:PORT/",
            "http://0177.0.0.1:PORT/", "http://0.0.0.0:PORT/", "http://[::1]:PORT/", "http://[::ffff:127.0.0.1]:PORT/",
            "https://127.0.0.1:PORT/", "$localhost:PORT/x", "http://10.0.0.1:PORT/", "http://169.254.169.254/",
            "http://192.168.1.1/", "http://[fd00:ec2::254]/", "http://[fe80::1]/", "http://100.64.0.1/",
        ])
    func refusesInnerAddresses(template: String) async throws {
        let wallet = try TestWallet()
        let url = template.replacing("PORT", with: String(wallet.port))

        await #expect {
            try await query(url, configuration(allowed: []))
        } throws: { error in
            if case WalletError.refused = error { true } else { false }
        }

        #expect(wallet.requests.isEmpty)
        await wallet.stop()
    }

    @Test("A refusal is logged with the pointer and the address, and with nothing that was to be sent")
    func logsRefusals() async throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        let logger = Logger(label: "wallets", output: LogOutput(fileDescriptor: ends[1]))

        await #expect(throws: WalletError.self) {
            try await query("http://127.0.0.1:9/secret-free", configuration(allowed: []), logger: logger)
        }

        close(ends[1])
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = max(0, read(ends[0], &bytes, bytes.count))
        let line = String(decoding: bytes[..<count], as: UTF8.self)
        close(ends[0])
        #expect(line.contains(#""message":"Refused to ask a wallet""#))
        #expect(line.contains(#""pointer":"http://127.0.0.1:9/secret-free""#))
        #expect(line.contains("127.0.0.1"))
        #expect(!line.contains("Receipt-Nonce"))
    }

    @Test("A range of one's own is let in, and no other")
    func allowsOwnRange() async throws {
        let wallet = try TestWallet()

        let answer = try await query(wallet.url())

        #expect(answer.status == .ok)
        #expect(wallet.requests.count == 1)
        await #expect(throws: WalletError.refused("the address 127.0.0.1")) {
            try await query(wallet.url(), configuration(allowed: ["127.0.0.2/32"]))
        }
        #expect(wallet.requests.count == 1)
        await wallet.stop()
    }

    @Test("A redirect is followed, but not to an address that may not be asked")
    func guardsRedirects() async throws {
        let inside = try TestWallet()
        let target = inside.url().replacing("127.0.0.1", with: "127.0.0.2")
        let wallet = try TestWallet { request in
            switch request.path {
            case "/inside": TestWallet.answer("", .temporaryRedirect, [("Location", target)])
            case "/local": TestWallet.answer("", HTTPStatus(302), [("Location", "/pay?session=1")])
            case "/user": TestWallet.answer("", HTTPStatus(308), [("Location", "http://me@127.0.0.1/")])
            case "/nowhere": TestWallet.answer("", HTTPStatus(301))
            case "/loop": TestWallet.answer("", HTTPStatus(303), [("Location", "/loop")])
            default: TestWallet.goodAnswer()
            }
        }

        let followed = try await query(wallet.url("/local"))

        #expect(followed.status == .ok)
        #expect(wallet.requests.map(\.target) == ["/local", "/pay?session=1"])
        #expect(wallet.requests.allSatisfy { $0.headers["Receipt-Nonce"] == "n" })
        await #expect(throws: WalletError.refused("the address 127.0.0.2")) { try await query(wallet.url("/inside")) }
        for path in ["/user", "/nowhere", "/loop"] {
            await #expect(throws: WalletError.self, "\(path)") { try await query(wallet.url(path)) }
        }
        #expect(wallet.requests.filter { $0.path == "/loop" }.count == WalletClient.redirectsMaximum + 1)
        #expect(inside.requests.isEmpty)
        await wallet.stop()
        await inside.stop()
    }

    @Test("A redirect from https to http is refused where http is")
    func refusesDowngrade() throws {
        #expect(throws: PaymentPointerError.self) {
            try WalletRedirect.target("http://wallet.example/", from: "https://wallet.example/x", rules: .strict)
        }
    }

    @Test("An answer that is too large, too slow or cut is no answer")
    func limitsAnswers() async throws {
        let large = try TestWallet { _ in
            TestWallet.answer(String(repeating: "x", count: WalletClient.responseBytesMaximum + 1))
        }
        await #expect {
            try await query(large.url())
        } throws: { error in
            if case WalletError.unusable = error { true } else { false }
        }
        await large.stop()

        let silent = try RawServer { client, _ in _ = try await client.receiveAll() }
        var impatient = configuration()
        impatient.timeout = "100ms"
        await #expect(throws: WalletError.timedOut) { try await query("http://127.0.0.1:\(silent.port)/", impatient) }

        let cutting = try RawServer { client, _ in
            _ = try await client.receive(until: "\r\n\r\n")
            try await client.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
            await client.reset()
        }
        await #expect(throws: WalletError.reset) { try await query("http://127.0.0.1:\(cutting.port)/") }

        let refusing = try RefusingPort()
        await #expect {
            try await query("http://127.0.0.1:\(refusing.port)/")
        } throws: { error in
            if case WalletError.unreachable = error { true } else { false }
        }
    }

    @Test(
        "A configuration that makes no sense is refused",
        arguments: [
            ("0s", []), ("2m", []), ("soon", []), ("1s", ["10.0.0.0/33"]), ("1s", ["x"]),
        ] as [(String, [String])])
    func validates(timeout: String, ranges: [String]) {
        var configuration = WalletConfiguration()
        configuration.timeout = timeout
        configuration.allowedCIDRs = ranges

        #expect(!configuration.validate().isEmpty)
        #expect(WalletConfiguration().validate().isEmpty)
    }
}
