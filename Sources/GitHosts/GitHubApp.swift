public import Cryptography
import JSON
import Timing

/// The GitHub App in whose name we speak.
public struct GitHubApp: Sendable {
    /// Its number, or its client id.
    public let appID: String
    /// Where GitHub's API begins, without a slash at the end.
    public let apiURL: String
    private let key: RSASigningKey

    /// How far back a token's time of issue lies: GitHub's clock may be behind ours.
    static let clockAllowance: Duration = .seconds(60)
    /// How long a token is good; GitHub takes at most ten minutes.
    static let lifetime: Duration = .seconds(9 * 60)

    /// Makes an App.
    ///
    /// - Parameters:
    ///   - appID: Its number, or its client id.
    ///   - apiURL: Such as `https://api.github.com`.
    ///   - key: The private key that GitHub made for it.
    public init(appID: String, apiURL: String, key: RSASigningKey) {
        self.appID = appID
        self.apiURL = apiURL
        self.key = key
    }

    /// The JSON Web Token (RFC 7519) that proves to GitHub who we are.
    ///
    /// - Parameter now: The time; the token is good from a minute before to nine minutes after it.
    /// - Throws: `RSAKeyError` when the key cannot sign.
    func token(now: Timestamp) throws(RSAKeyError) -> String {
        func part(_ value: JSONValue) -> String { Base64.encode(JSONWriter().write(value), .url) }
        let claims: JSONValue = [
            "iat": .integer((now - Self.clockAllowance).secondsSinceEpoch),
            "exp": .integer((now + Self.lifetime).secondsSinceEpoch),
            "iss": .string(appID),
        ]
        let signed = part(["alg": "RS256", "typ": "JWT"]) + "." + part(claims)
        return signed + "." + Base64.encode(try key.signature(of: Array(signed.utf8)), .url)
    }
}
