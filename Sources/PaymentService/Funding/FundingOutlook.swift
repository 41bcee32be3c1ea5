import CRDs
import ControllerRuntime
import KubernetesTypes
import Payments

/// How a Function stands with its payers; what payments write into its status follows from it alone.
enum FundingOutlook: Hashable {
    /// It takes no money.
    case free
    /// Its price cannot be counted with.
    case unusable
    /// Its price is in another asset than the one that is accepted.
    case otherAsset(String, accepted: String)
    /// What the ledger says.
    case known(AccountBalance)

    /// The largest number of calls that a status tells; the schema's greatest.
    private static let callsMaximum: UInt64 = 9_007_199_254_740_991

    /// The Function's status with our part of it brought up to date.
    func status(of function: Function, now: Time) -> FunctionStatus {
        var status = function.status ?? FunctionStatus()
        var conditions = Conditions(observed: status.conditions, generation: function.metadata.generation, now: now)
        status.balance = nil
        status.remainingCalls = nil
        if case .known(let account) = self {
            status.balance = String(account.balance)
            status.remainingCalls = Int64(clamping: min(Self.callsLeft(account), Self.callsMaximum))
        }
        if let funded = condition(isRequired: function.spec.payment?.required == true) {
            conditions.set(
                FunctionCondition.funded.rawValue, funded.status, reason: funded.reason.rawValue,
                message: funded.message)
        } else {
            conditions.remove(FunctionCondition.funded.rawValue)
        }
        status.conditions = conditions.list
        return status
    }

    /// Calls that a gateway has on lease are paid for, and not used yet.
    private static func callsLeft(_ account: AccountBalance) -> UInt64 {
        let (sum, overflows) = account.remainingCalls.addingReportingOverflow(account.leasedCalls)
        return overflows ? .max : sum
    }

    private func condition(
        isRequired: Bool
    ) -> (status: ConditionStatus, reason: FunctionReason, message: String)? {
        switch self {
        case .free: return nil
        case .unusable:
            return (.false, .invalid, "spec.payment has no price that can be counted with; correct spec.payment.price")
        case .otherAsset(let own, let accepted):
            return (
                .false, .assetNotAccepted,
                "the price is in \(own), and payments are taken in \(accepted) only; correct spec.payment.price"
            )
        case .known(let account):
            let calls = Self.callsLeft(account)
            guard calls > 0 else {
                return (
                    .false, .noCallsLeft,
                    isRequired
                        ? "no call is left: callers get 402 until somebody pays"
                        : "no call is left that was paid for; calls pass all the same, since spec.payment.required is not set"
                )
            }
            guard account.balance > 0 else {
                return (.true, .bonusCalls, "nothing is paid ahead; \(calls) bonus calls are left")
            }
            return (.true, .funded, "a balance of \(account.balance) in \(account.asset), and \(calls) calls are left")
        }
    }
}

extension FunctionStatus {
    /// Whether two statuses differ in what payments write.
    func hasSameFunding(as other: FunctionStatus) -> Bool {
        let type = FunctionCondition.funded.rawValue
        return balance == other.balance && remainingCalls == other.remainingCalls
            && conditions.condition(type) == other.conditions.condition(type)
    }
}
