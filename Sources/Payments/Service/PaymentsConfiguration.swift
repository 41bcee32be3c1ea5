import Timing

/// How payments run: the section `payments` of the configuration.
///
/// Only the host's pointer and the asset of its wallet have no default.
public struct PaymentsConfiguration: Decodable, Hashable, Sendable {
    /// Where the host of the platform is paid: `$host/path`.
    public var hostPointer: String?
    /// What the host's wallet counts in; prices of functions must be in it.
    public var asset: Asset?
    /// The numeric address to listen on.
    public var address = "0.0.0.0"
    /// The port for payers.
    public var port: UInt16 = 8084
    /// The port for leases, health and metrics; never exposed.
    public var internalPort: UInt16 = 9090
    /// Event loops of the payers' port.
    public var loops = 1
    /// How long receipts of an SPSP query are taken, as `300s`.
    public var connectionLifetime = "300s"
    /// A file with seeds of one's own in base64, newest first, one a line; without it the ledger keeps one it made.
    public var seedsPath: String?
    /// The file with the token for leases and balances.
    public var tokenPath = "/etc/farebox/payments/token"
    /// Where gateways reach leases: scheme, host and port.
    public var internalURL = "http://farebox-payments.farebox-system:9090"
    /// Where payers reach SPSP and `/verify`: scheme, host and port; what callers without a paid call are told.
    public var publicURL: String?
    /// Where money is counted.
    public var ledger = LedgerConfiguration()
    /// How wallets are asked.
    public var wallets = WalletConfiguration()
    /// Queries to wallets in a second, in the long run: each is kept in the ledger for a day.
    public var queriesPerSecondMaximum = 200
    /// Queries to all wallets at once.
    public var queriesMaximum = 256
    /// Queries to one wallet at once.
    public var queriesPerWalletMaximum = 32
    /// Requests to the ledger at once, of each kind; further ones are told to come back.
    public var requestsMaximum = 4096
    /// Connections of payers at once.
    public var connectionsMaximum = 4096

    /// Makes the default configuration.
    public init() {}

    private enum CodingKeys: String, CodingKey {
        case hostPointer, asset, address, port, internalPort, loops, connectionLifetime, seedsPath, tokenPath,
            internalURL, publicURL, ledger, wallets
        case queriesPerSecondMaximum, queriesMaximum, queriesPerWalletMaximum, requestsMaximum, connectionsMaximum
    }

    /// Decodes the section; absent fields get their defaults.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func value<Value: Decodable>(_ key: CodingKeys, _ absent: Value) throws -> Value {
            try container.decodeIfPresent(Value.self, forKey: key) ?? absent
        }
        hostPointer = try container.decodeIfPresent(String.self, forKey: .hostPointer)
        asset = try container.decodeIfPresent(Asset.self, forKey: .asset)
        address = try value(.address, address)
        port = try value(.port, port)
        internalPort = try value(.internalPort, internalPort)
        loops = try value(.loops, loops)
        connectionLifetime = try value(.connectionLifetime, connectionLifetime)
        seedsPath = try container.decodeIfPresent(String.self, forKey: .seedsPath)
        tokenPath = try value(.tokenPath, tokenPath)
        internalURL = try value(.internalURL, internalURL)
        publicURL = try container.decodeIfPresent(String.self, forKey: .publicURL)
        ledger = try value(.ledger, ledger)
        wallets = try value(.wallets, wallets)
        queriesPerSecondMaximum = try value(.queriesPerSecondMaximum, queriesPerSecondMaximum)
        queriesMaximum = try value(.queriesMaximum, queriesMaximum)
        queriesPerWalletMaximum = try value(.queriesPerWalletMaximum, queriesPerWalletMaximum)
        requestsMaximum = try value(.requestsMaximum, requestsMaximum)
        connectionsMaximum = try value(.connectionsMaximum, connectionsMaximum)
    }

    /// Whether the installation takes money: the host's wallet and its asset are named.
    public var isSetUp: Bool { hostPointer != nil && asset != nil }

    /// Returns what is wrong with the section, one sentence each; empty when nothing is.
    ///
    /// That the host's pointer and asset are missing is only wrong where payments run.
    public func validate() -> [String] {
        var problems = wallets.validate().map { "wallets." + $0 } + ledger.validate().map { "ledger." + $0 }
        if let hostPointer {
            do {
                _ = try PaymentPointer(hostPointer, rules: wallets.pointerRules)
            } catch {
                problems.append("hostPointer: \"\(hostPointer)\" is no payment pointer: \(error)")
            }
        }
        if Duration(goStyle: connectionLifetime).map(Self.lifetimes.contains) != true {
            problems.append("connectionLifetime: \"\(connectionLifetime)\" is not a span of time from 10s to 24h")
        }
        for (name, url) in [("internalURL", internalURL), ("publicURL", publicURL ?? "https://")]
        where !["http://", "https://"].contains(where: url.hasPrefix) || url.hasSuffix("/") && url != "https://" {
            problems.append("\(name): \"\(url)\" is no URL of a host: write it like https://pay.example.xyz")
        }
        for (name, number) in [
            ("loops", loops), ("queriesMaximum", queriesMaximum), ("queriesPerWalletMaximum", queriesPerWalletMaximum),
            ("requestsMaximum", requestsMaximum), ("connectionsMaximum", connectionsMaximum),
        ] where number < 1 {
            problems.append("\(name): must be above 0")
        }
        if !(1...100_000).contains(queriesPerSecondMaximum) {
            problems.append("queriesPerSecondMaximum: from 1 to 100000")
        }
        return problems
    }

    /// Below, a receipt would come too late; above, the ledger would keep nonces for no use.
    private static let lifetimes = Duration.seconds(10)...Duration.seconds(24 * 3600)

    var lifetime: Duration { Duration(goStyle: connectionLifetime) ?? .seconds(300) }
}
