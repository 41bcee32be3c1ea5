/// Functions from a file instead of a cluster: to try payments, and for tests.
///
/// ```yaml
/// functions:
///   - name: alice-hello           # the Function object
///     namespace: farebox-functions
///     owner: alice                # optional, together with `function`
///     function: hello
///     price: {asset: {code: XRP, scale: 9}, amount: 10, calls: 1000, bonusCalls: 50}
///     paymentPointer: $wallet.example/alice    # optional: the author's
/// ```
public struct FixedDirectory: PaymentDirectory, Decodable {
    private struct Entry: Decodable, Sendable {
        var name: String
        var namespace: String
        var owner: String?
        var function: String?
        var price: PriceTerms
        var paymentPointer: String?
    }

    private struct OwnedName: Hashable {
        let owner: String
        let function: String
    }

    private let byName: [OwnedName: PayableFunction]
    private let byJoinedName: [String: [PayableFunction]]
    private let byAccount: [PaymentAccount: PayableFunction]

    private enum CodingKeys: String, CodingKey { case functions }

    /// Decodes the file.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        var named: [(owner: String?, name: String, joined: String, function: PayableFunction)] = []
        for entry in try container.decode([Entry].self, forKey: .functions) {
            guard let account = PaymentAccount(namespace: entry.namespace, function: entry.name) else {
                throw DecodingError.dataCorruptedError(
                    forKey: .functions, in: container,
                    debugDescription: "\(entry.namespace)/\(entry.name) is no name of a Function object")
            }
            named.append(
                (
                    entry.owner, entry.function ?? entry.name, entry.name,
                    PayableFunction(account: account, terms: entry.price, authorPointer: entry.paymentPointer)
                ))
        }
        self.init(named)
    }

    /// Makes a directory of functions with the owners and names they go by.
    ///
    /// - Parameter functions: The joined name is the owner's and the function's, or the function's alone.
    public init(_ functions: [(owner: String?, name: String, function: PayableFunction)]) {
        self.init(
            functions.map { entry in
                (entry.owner, entry.name, entry.owner.map { "\($0)-\(entry.name)" } ?? entry.name, entry.function)
            })
    }

    private init(_ functions: [(owner: String?, name: String, joined: String, function: PayableFunction)]) {
        var byName: [OwnedName: PayableFunction] = [:]
        var byJoinedName: [String: [PayableFunction]] = [:]
        var byAccount: [PaymentAccount: PayableFunction] = [:]
        for (owner, name, joined, function) in functions {
            if let owner { byName[OwnedName(owner: owner.lowercased(), function: name.lowercased())] = function }
            byJoinedName[joined.lowercased(), default: []].append(function)
            byAccount[function.account] = function
        }
        self.byName = byName
        self.byJoinedName = byJoinedName
        self.byAccount = byAccount
    }

    /// Finds a function by what a query names.
    public func function(named name: PayeeName) async throws(PaymentDirectoryError) -> PayableFunction {
        switch name {
        case .host:
            throw .unknown
        case .function(let owner, let name):
            guard let function = byName[OwnedName(owner: owner.lowercased(), function: name.lowercased())] else {
                throw .unknown
            }
            return function
        case .joined(let name):
            let functions = byJoinedName[name.lowercased()] ?? []
            guard let first = functions.first else { throw .unknown }
            guard functions.count == 1 else { throw .ambiguous }
            return first
        }
    }

    /// Finds a function by its account.
    public func function(of account: PaymentAccount) async throws(PaymentDirectoryError) -> PayableFunction {
        guard let function = byAccount[account] else { throw .unknown }
        return function
    }
}
