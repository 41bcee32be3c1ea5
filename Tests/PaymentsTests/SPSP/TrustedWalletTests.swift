import Dispatch
import Glibc
import HTTP
import JSON
import Processes
import Testing

@testable import Payments

/// The wallet of the end-to-end tests, which shares no code with what it tests, speaks TLS, and makes the receipts.
@Suite("A wallet on TLS", .timeLimit(.minutes(10)))
struct TrustedWalletTests {
    @Test("It is believed by its authority, and its receipts are worth their money")
    func paysThroughTLS() async throws {
        let wallet = try await WalletProgram()
        try await TestService.with { setting in
            setting.hostPointer = "$localhost:\(wallet.port)/host"
            setting.configuration.wallets.certificatesPath = wallet.authority
            setting.usesSQLite = true
            try setting.addFunction()
        } _: { service in
            let answer = try await service.send(.get, "/alice/fn")
            let first = try await service.verify(try await wallet.receive("host 500"))
            let second = try await service.verify(try await wallet.receive("host 18446744073709551115"))
            let again = try await service.verify(try await wallet.receive("host 0"))

            #expect(answer.status == .ok)
            #expect(try answer.json()["receipts_enabled"] == true)
            #expect(try first.json()["amount"] == "500")
            #expect(try second.json()["amount"] == "18446744073709551115")
            #expect(again.text == "expired receipt")
            let function = try TestService.function("alice-fn")
            let balance = try await service.store.balance(of: function.account, terms: function.terms)
            #expect(balance.balance == .max)
        }
        await wallet.stop()
    }

    @Test("Whoever does not trust its authority sends it nothing")
    func wantsTrust() async throws {
        let wallet = try await WalletProgram()
        var configuration = WalletConfiguration()
        configuration.timeout = "1m"
        configuration.allowsPorts = true
        configuration.allowedCIDRs = ["127.0.0.1/32"]
        let pointer = try PaymentPointer("$localhost:\(wallet.port)/host", rules: configuration.pointerRules)

        await #expect {
            try await WalletClient(configuration: configuration).query(pointer, headers: HTTPHeaders())
        } throws: { error in
            if case WalletError.unreachable = error { true } else { false }
        }

        await #expect(throws: WalletProgram.Broken.self) {
            // It was asked for nothing, so it has no connection to receive on.
            let line = try await wallet.receive("host 1")
            if line.hasPrefix("?") { throw WalletProgram.Broken(output: line) }
        }
        await wallet.stop()
    }
}

/// `Tests/EndToEnd/wallet.py`, as a process of its own.
private final class WalletProgram: Sendable {
    struct Broken: Error {
        let output: String
    }

    let port: UInt16
    let authority: String
    private let process: SpawnedProcess
    /// Reading waits for the program, so it happens on no thread that others share.
    private let queue: DispatchQueue

    init() async throws {
        let script = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/EndToEnd/wallet.py"
        process = try SpawnedProcess("/usr/bin/env", ["python3", "-B", script])
        queue = DispatchQueue(label: "wallet program")
        let pointer = try await Self.line(process, queue)
        let trust = try await Self.line(process, queue)
        guard let text = pointer.split(separator: ":").last?.prefix(while: \.isNumber), let port = UInt16(text),
            trust.hasPrefix("authority ")
        else { throw Broken(output: pointer + trust) }
        self.port = port
        authority = String(trust.dropFirst("authority ".count))
    }

    /// Tells the program that money came in, and returns the receipt.
    func receive(_ line: String) async throws -> String {
        let bytes = Array((line + "\n").utf8)
        guard write(process.input, bytes, bytes.count) == bytes.count else { throw Broken(output: "gone") }
        return try await Self.line(process, queue)
    }

    /// Ends the program, which cleans its files up.
    func stop() async {
        shutdown(process.input, Int32(SHUT_RDWR))
        await withCheckedContinuation { continuation in
            queue.async { [process] in
                _ = process.wait()
                continuation.resume()
            }
        }
    }

    /// Reads a line, byte by byte, so that nothing is lost between two.
    private static func line(_ process: SpawnedProcess, _ queue: DispatchQueue) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            queue.async {
                var bytes: [UInt8] = []
                var byte: UInt8 = 0
                while Glibc.read(process.output, &byte, 1) == 1, byte != UInt8(ascii: "\n") { bytes.append(byte) }
                let text = String(decoding: bytes, as: UTF8.self)
                if byte == UInt8(ascii: "\n") {
                    continuation.resume(returning: text)
                } else {
                    continuation.resume(throwing: Broken(output: text))
                }
            }
        }
    }
}
