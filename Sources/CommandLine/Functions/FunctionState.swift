import CRDs
import KubernetesTypes
import Timing

/// How a function is, in a word.
struct FunctionState: Equatable {
    /// One word: `Ready`, or the reason why it is not.
    let word: String
    /// How the word is to be taken.
    let mood: Table.Mood
    /// Replicas that take calls, of those that are wanted.
    let replicas: String

    /// Reads a function's conditions.
    init(_ function: Function) {
        replicas = "\(function.status?.availableReplicas ?? 0)/\(function.desiredReplicas)"
        if function.metadata.isBeingDeleted {
            (word, mood) = ("Terminating", .waiting)
            return
        }
        let conditions = function.status?.conditions ?? []
        let ready = conditions.condition(FunctionCondition.ready.rawValue)
        let isSeen = Self.isSeen(function)
        if let ready, ready.status == .true, isSeen {
            // Asleep and suspended functions are as they should be, and say so.
            let isAtWork = ready.reason == FunctionReason.available.rawValue
            (word, mood) = (isAtWork || ready.reason.isEmpty ? "Ready" : ready.reason, .good)
            return
        }
        let stalled = conditions.condition(FunctionCondition.stalled.rawValue)
        if let stalled, stalled.status == .true, isSeen {
            (word, mood) = (stalled.reason, .bad)
            return
        }
        guard let ready, isSeen else {
            (word, mood) = ("Pending", .waiting)
            return
        }
        let isOnItsWay = conditions.condition(FunctionCondition.reconciling.rawValue)?.status == .true
        (word, mood) = (ready.reason.isEmpty ? "NotReady" : ready.reason, isOnItsWay ? .waiting : .bad)
    }

    /// Whether the status speaks of the spec as it is now.
    static func isSeen(_ function: Function) -> Bool {
        guard let generation = function.metadata.generation else { return true }
        return function.status?.observedGeneration == generation
    }
}

/// How old something is, as kubectl says it.
enum Age {
    /// The two greatest units where the first one is small, else one.
    static func text(_ time: Time?, now: Timestamp) -> String? {
        guard let time else { return nil }
        let seconds = max(0, (now - time.timestamp).components.seconds)
        switch seconds {
        case ..<120: return "\(seconds)s"
        case ..<600:
            let rest = seconds % 60
            return "\(seconds / 60)m" + (rest == 0 ? "" : "\(rest)s")
        case ..<7200: return "\(seconds / 60)m"
        case ..<(2 * 86_400): return "\(seconds / 3600)h"
        default: return "\(seconds / 86_400)d"
        }
    }
}
