import HTTP
import Timing

/// How wallets are asked.
///
/// Every field has a default; those that loosen a rule are for trials, and for wallets of one's own inside the network.
public struct WalletConfiguration: Codable, Hashable, Sendable {
    /// How long one query may take with all its redirects, as `10s`.
    public var timeout = "10s"
    /// Ports and numeric addresses in pointers.
    public var allowsPorts = false
    /// Wallets without TLS.
    public var allowsPlainHTTP = false
    /// Ranges outside the public Internet that may be asked all the same, as `10.1.2.3/32`.
    public var allowedCIDRs: [String] = []
    /// Ranges of the public Internet that may not be asked: a cluster's own.
    public var refusedCIDRs: [String] = []
    /// A file of certificates to trust in the place of the system's.
    public var certificatesPath: String?

    /// Makes the default configuration.
    public init() {}

    enum CodingKeys: String, CodingKey {
        case timeout, allowsPorts, allowsPlainHTTP, allowedCIDRs, refusedCIDRs, certificatesPath
    }

    /// Decodes a configuration; absent fields get their defaults.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        timeout = try container.decodeIfPresent(String.self, forKey: .timeout) ?? timeout
        allowsPorts = try container.decodeIfPresent(Bool.self, forKey: .allowsPorts) ?? allowsPorts
        allowsPlainHTTP = try container.decodeIfPresent(Bool.self, forKey: .allowsPlainHTTP) ?? allowsPlainHTTP
        allowedCIDRs = try container.decodeIfPresent([String].self, forKey: .allowedCIDRs) ?? allowedCIDRs
        refusedCIDRs = try container.decodeIfPresent([String].self, forKey: .refusedCIDRs) ?? refusedCIDRs
        certificatesPath = try container.decodeIfPresent(String.self, forKey: .certificatesPath)
    }

    /// Returns what is wrong with the configuration, one sentence each; empty when nothing is.
    public func validate() -> [String] {
        var problems: [String] = []
        if Duration(goStyle: timeout).map({ $0 > .zero && $0 <= Self.timeoutMaximum }) != true {
            problems.append("timeout: \"\(timeout)\" is not a span of time up to 1m; write it like 10s")
        }
        for (name, ranges) in [("allowedCIDRs", allowedCIDRs), ("refusedCIDRs", refusedCIDRs)] {
            for range in ranges where AddressRange(range) == nil {
                problems.append("\(name): \"\(range)\" is not a range of addresses; write it like 10.1.2.0/24")
            }
        }
        return problems
    }

    /// A browser gives up earlier.
    private static let timeoutMaximum = Duration.seconds(60)

    /// What pointers may say.
    public var pointerRules: PaymentPointer.Rules {
        PaymentPointer.Rules(allowsPorts: allowsPorts, allowsPlainHTTP: allowsPlainHTTP)
    }

    /// Which addresses may be asked.
    var addressPolicy: AddressPolicy {
        AddressPolicy(
            isPublicOnly: true, refusedRanges: refusedCIDRs.compactMap { AddressRange($0) },
            allowedRanges: allowedCIDRs.compactMap { AddressRange($0) })
    }

    var timeoutSpan: Duration { Duration(goStyle: timeout) ?? .seconds(10) }
}
