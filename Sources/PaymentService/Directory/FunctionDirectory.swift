import CRDs
public import ControllerRuntime
import KubernetesTypes
public import Payments

/// The functions that take money, as the cluster's Function objects say.
///
/// A Function takes money when it has a valid price in the asset of the host's wallet. Names are read as the gateway reads
/// them: owners without regard to case, and of two objects that claim one owner and name the older one has it.
public struct FunctionDirectory: PaymentDirectory {
    private static let ownedIndex = "owned"
    private static let joinedIndex = "joined"

    private let functions: Informer<Function>
    private let asset: Asset

    /// Makes a directory; it knows nothing before the informers run.
    ///
    /// - Parameters:
    ///   - informers: The process' informers.
    ///   - namespace: The one namespace of Functions; all of them when nil.
    ///   - asset: What the host's wallet counts in.
    public init(informers: SharedInformers, namespace: String?, asset: Asset) {
        self.init(functions: informers.paidFunctions(namespace: namespace), asset: asset)
    }

    init(functions: Informer<Function>, asset: Asset) {
        self.functions = functions
        self.asset = asset
        functions.addIndex(Self.ownedIndex) { function in
            function.identity.map { [Self.owned($0.owner.lowercased, $0.function)] } ?? []
        }
        functions.addIndex(Self.joinedIndex) { function in
            let names = [function.metadata.name, function.identity?.objectName].compactMap { $0?.lowercased() }
            return Array(Set(names))
        }
    }

    /// No name of an owner or a function has a zero byte.
    private static func owned(_ owner: String, _ function: String) -> String { owner + "\0" + function }

    /// Whether all Functions are known.
    public var isReady: Bool { functions.hasSynced }

    /// Finds a function by what a query names.
    public func function(named name: PayeeName) async throws(PaymentDirectoryError) -> PayableFunction {
        try checkReadiness()
        switch name {
        case .host:
            throw .unknown
        case .function(let owner, let name):
            let claimants = functions.objects(
                index: Self.ownedIndex, value: Self.owned(owner.lowercased(), name))
            guard let holder = claimants.min(by: Self.hasPrecedence) else { throw .unknown }
            return try payable(holder)
        case .joined(let name):
            let found = functions.objects(index: Self.joinedIndex, value: name.lowercased())
            guard let first = found.first else { throw .unknown }
            guard found.count == 1 else { throw .ambiguous }
            return try payable(first)
        }
    }

    /// Finds a function by its account.
    public func function(of account: PaymentAccount) async throws(PaymentDirectoryError) -> PayableFunction {
        try checkReadiness()
        guard let function = functions.get(ObjectKey(account)) else { throw .unknown }
        return try payable(function)
    }

    private func checkReadiness() throws(PaymentDirectoryError) {
        guard isReady else { throw .unavailable("the cluster's Functions are not known yet") }
    }

    private func payable(_ function: Function) throws(PaymentDirectoryError) -> PayableFunction {
        guard !function.metadata.isBeingDeleted,
            case .terms(let terms) = FunctionPricing(function.spec.payment, asset: asset),
            let account = PaymentAccount(function)
        else { throw .unknown }
        return PayableFunction(
            account: account, terms: terms, authorPointer: function.spec.payment?.paymentPointer)
    }

    /// Of two objects that claim a name, the one that was there first has it, as at the gateway.
    private static func hasPrecedence(_ left: Function, _ right: Function) -> Bool {
        if let leftTime = left.metadata.creationTimestamp, let rightTime = right.metadata.creationTimestamp,
            leftTime != rightTime
        {
            return leftTime < rightTime
        }
        return left.key < right.key
    }
}

extension PaymentAccount {
    /// The account of a Function object.
    init?(_ function: Function) {
        self.init(namespace: function.metadata.namespace, function: function.metadata.name)
    }
}

extension ObjectKey {
    /// The Function object that an account belongs to.
    init(_ account: PaymentAccount) {
        let parts = account.name.split(separator: "/", maxSplits: 1)
        self.init(namespace: String(parts.first ?? ""), name: String(parts.last ?? ""))
    }
}
