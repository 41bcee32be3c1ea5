import CTLS
import OpenSSLTool
import Synchronization
import TLS
import Testing

@Suite("TLS session")
struct TLSSessionTests {
    /// Certificates are made once: each costs a process.
    private static let identities: [CertificateIdentity]? = try? OpenSSLProgram.with { openssl in
        try [["DNS:first.example.com"], ["DNS:*.wild.example.com", "DNS:wild.example.com"]].map { names in
            let (certificate, key) = try openssl.certificate(for: names)
            return try CertificateIdentity(certificatePEM: certificate, keyPEM: key)
        }
    }

    private func context(offersHTTP2: Bool = false) throws -> TLSContext {
        try TLSContext(
            certificates: CertificateIndex(try #require(Self.identities)), offersHTTP2: offersHTTP2)
    }

    @Test("Bytes pass both ways after the handshake, however the network cuts them", arguments: [1, 7, 1000, Int.max])
    func roundTrip(piece: Int) throws {
        let session = try TLSSession(context())
        let client = try #require(MemoryClient(.init()))
        let question = Array("question".utf8)
        let answer = [UInt8](repeating: 0x61, count: 100_000)

        _ = client.read(session.shakeHands(with: client, piece: piece))
        var opened: [UInt8] = []
        for byte in client.write(question) {
            opened += session.open([byte]).plain
        }
        var records: [UInt8] = []
        let isSealed = session.seal(answer.span, into: &records)

        #expect(session.state == .established)
        #expect(session.version == "TLSv1.3")
        #expect(opened == question)
        #expect(isSealed)
        let arrived = client.read(records)
        #expect(arrived?.count == answer.count)
        #expect(arrived?.elementsEqual(answer) == true)
    }

    @Test("TLS 1.2 is spoken, older versions and weak ciphers are not")
    func versions() throws {
        func outcome(_ change: (inout MemoryClient.Wishes) -> Void) throws -> (TLSSession, MemoryClient) {
            var wishes = MemoryClient.Wishes()
            change(&wishes)
            let session = try TLSSession(context())
            let client = try #require(MemoryClient(wishes))
            session.shakeHands(with: client)
            return (session, client)
        }

        let (second, secondClient) = try outcome { $0.versionMaximum = TLS1_2_VERSION }
        let (first, _) = try outcome { $0.versionMaximum = TLS1_1_VERSION }
        let (weak, _) = try outcome {
            $0.versionMaximum = TLS1_2_VERSION
            $0.ciphers = "ECDHE-ECDSA-AES128-SHA:AES128-GCM-SHA256:@SECLEVEL=0"
        }

        #expect(second.version == "TLSv1.2")
        #expect(secondClient.isConnected)
        #expect(first.state == .failed)
        #expect(weak.state == .failed)
    }

    @Test(
        "The certificate is the one for the name that the client asks for",
        arguments: [
            ("first.example.com", "first.example.com"), ("a.wild.example.com", "*.wild.example.com"),
            ("A.WILD.example.COM", "*.wild.example.com"), ("wild.example.com", "*.wild.example.com"),
            ("a.b.wild.example.com", "first.example.com"), ("elsewhere.example.com", "first.example.com"),
            (nil, "first.example.com"),
        ] as [(String?, String)])
    func serverName(asked: String?, shown: String) throws {
        var wishes = MemoryClient.Wishes()
        wishes.serverName = asked
        let session = try TLSSession(context())
        let client = try #require(MemoryClient(wishes))

        session.shakeHands(with: client)

        #expect(client.isConnected)
        #expect(client.serverName == shown)
    }

    @Test("Without any certificate every handshake fails, and with a new one the next succeeds")
    func replaced() throws {
        let looks = Atomic<Int>(0)
        let context = try TLSContext(willShow: { _ in looks.add(1, ordering: .relaxed) })
        let early = try TLSSession(context)
        let late = try TLSSession(context)

        early.shakeHands(with: try #require(MemoryClient(.init())))
        context.replace(CertificateIndex(try #require(Self.identities)))
        late.shakeHands(with: try #require(MemoryClient(.init())))

        #expect(early.state == .failed)
        #expect(late.state == .established)
        #expect(looks.load(ordering: .relaxed) == 2)
    }

    @Test(
        "HTTP/2 is agreed on where both speak it",
        arguments: [
            (["h2", "http/1.1"], true, "h2"), (["http/1.1", "h2"], true, "h2"),
            (["h2", "http/1.1"], false, "http/1.1"),
            (["http/1.1"], true, "http/1.1"), ([], true, nil),
        ] as [([String], Bool, String?)])
    func applicationProtocol(offered: [String], offersHTTP2: Bool, agreed: String?) throws {
        var wishes = MemoryClient.Wishes()
        wishes.protocols = offered
        wishes.serverName = "a.wild.example.com"
        let session = try TLSSession(context(offersHTTP2: offersHTTP2))
        let client = try #require(MemoryClient(wishes))

        session.shakeHands(with: client)

        #expect(client.isConnected)
        #expect(client.chosenProtocol == agreed)
        #expect(session.speaksHTTP2 == (agreed == "h2"))
    }

    @Test("A client that only speaks something else is refused", arguments: [["ftp"], ["h2"], ["spdy/3", "http/1.0"]])
    func foreignProtocol(offered: [String]) throws {
        var wishes = MemoryClient.Wishes()
        wishes.protocols = offered
        let session = try TLSSession(context())
        let client = try #require(MemoryClient(wishes))

        session.shakeHands(with: client)

        #expect(session.state == .failed)
        #expect(!client.isConnected)
    }

    @Test(
        "A client resumes its session, whichever certificate it was shown",
        arguments: [TLS1_2_VERSION, TLS1_3_VERSION], [nil, "a.wild.example.com"] as [String?])
    func resumption(version: Int32, name: String?) throws {
        let context = try context()
        var wishes = MemoryClient.Wishes()
        wishes.versionMaximum = version
        wishes.serverName = name
        let first = try #require(MemoryClient(wishes))
        let firstSession = try TLSSession(context)

        // In TLS 1.3 the ticket comes after the handshake.
        _ = first.read(firstSession.shakeHands(with: first))
        wishes.session = first.resumable
        let second = try #require(MemoryClient(wishes))
        let secondSession = try TLSSession(context)
        _ = second.read(secondSession.shakeHands(with: second))
        let stranger = try TLSSession(self.context())
        stranger.shakeHands(with: try #require(MemoryClient(wishes)))

        #expect(!firstSession.isResumed)
        #expect(secondSession.isResumed)
        #expect(second.isResumed)
        #expect(!stranger.isResumed)
        #expect(stranger.state == .established)
    }

    @Test("Each side tells the other its end, and can still be told something after that")
    func ends() throws {
        let session = try TLSSession(context())
        let client = try #require(MemoryClient(.init()))
        _ = client.read(session.shakeHands(with: client))
        let rest = Array("rest".utf8)
        var records: [UInt8] = []
        var end: [UInt8] = []

        let opened = session.open(client.write(rest) + client.end()).plain
        let state = session.state
        let isSealed = session.seal(rest.span, into: &records)
        session.sealEnd(into: &end)

        #expect(opened == rest)
        #expect(state == .ended)
        #expect(isSealed)
        #expect(client.read(records) == rest)
        #expect(client.read(end) == nil)
    }

    @Test(
        "What is no TLS fails and is answered by an alert at most",
        arguments: [
            Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8), Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8),
            [0x16, 0x03, 0x01, 0xFF, 0xFF] + [UInt8](repeating: 0, count: 64), [UInt8](repeating: 0, count: 70_000),
            [UInt8](repeating: 0xFF, count: 70_000), [0x80, 0x2E, 0x01, 0x00, 0x02] + [UInt8](repeating: 1, count: 44),
            [0x16, 0x03, 0x01, 0x00, 0x04, 0x01, 0x00, 0x00, 0x00],
        ] as [[UInt8]])
    func nonsense(bytes: [UInt8]) throws {
        let session = try TLSSession(context())

        let (plain, answers) = session.open(bytes)
        let after = session.open(bytes)

        #expect(plain.isEmpty)
        #expect(session.state == .failed)
        #expect(answers.count < 64)
        #expect(after.plain.isEmpty && after.answers.isEmpty)
    }

    @Test("A greeting with any one byte changed is never taken for another, nor does it harm")
    func changedGreeting() throws {
        let context = try context()
        let greeting = try #require(MemoryClient(.init())).handshake()

        for position in greeting.indices {
            var changed = greeting
            changed[position] ^= 0x55
            let session = try TLSSession(context)
            _ = session.open(changed)
            #expect(session.state != .established)
        }
    }

    @Test("A record with any one byte changed ends the connection")
    func changedRecord() throws {
        let context = try context()
        for position in [0, 1, 3, 5, 8, 20] {
            let session = try TLSSession(context)
            let client = try #require(MemoryClient(.init()))
            _ = client.read(session.shakeHands(with: client))
            var record = client.write(Array("hello".utf8))
            try #require(record.count > position)
            record[position] ^= 0x01
            // Where the length grew the record is not whole yet.
            record += [UInt8](repeating: 0, count: 300)

            let opened = session.open(record).plain

            #expect(opened.isEmpty)
            #expect(session.state == .failed)
        }
    }

    @Test("A client cannot have the keys of TLS 1.2 made anew")
    func renegotiation() throws {
        var wishes = MemoryClient.Wishes()
        wishes.versionMaximum = TLS1_2_VERSION
        let session = try TLSSession(context())
        let client = try #require(MemoryClient(wishes))
        _ = client.read(session.shakeHands(with: client))

        let greeting = client.renegotiate()
        let (_, answers) = session.open(greeting)

        #expect(!greeting.isEmpty)
        #expect(answers.count < 64)
        #expect(!client.isConnected)
    }
}
