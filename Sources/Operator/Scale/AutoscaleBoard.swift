import CRDs
import KubernetesTypes
import Scaling
import Timing

/// What is remembered of all functions that scale by themselves, as a value: loads go in, changes come out.
struct AutoscaleBoard {
    /// A number of replicas that a function should have from now on.
    struct Change {
        let function: Function
        let decision: AutoscaleMachine.Decision
    }

    private var machines: [ObjectKey: AutoscaleMachine] = [:]
    /// Functions as they became when their numbers were set; what the API server tells of itself may come later.
    private var written: [ObjectKey: Function] = [:]

    /// Takes a function as it is with the number that was set: until the cache has it, the next rounds decide about it.
    mutating func wrote(_ function: Function) {
        written[function.key] = function
    }

    /// Takes one round's loads.
    ///
    /// - Parameters:
    ///   - totals: The loads of all functions.
    ///   - functions: Those that scale by themselves and have replicas now; what is known of others is forgotten.
    ///   - now: The current time.
    ///   - time: The same by the wall clock.
    mutating func decide(
        _ totals: LoadTotals, _ functions: [Function], now: ContinuousClock.Instant, time: Time
    ) -> [Change] {
        var kept: [ObjectKey: AutoscaleMachine] = [:]
        var changes: [Change] = []
        let written = written
        self.written = [:]
        for cached in functions {
            var function = cached
            if let known = written[cached.key], known.isLater(than: cached) {
                function = known
                self.written[cached.key] = known
            }
            guard let rules = function.autoscaleRules else { continue }
            var machine = machines[function.key] ?? AutoscaleMachine()
            let decision = machine.decide(
                totals[function.key], replicas: Int(function.desiredReplicas), awake: function.awake(at: time),
                rules: rules, now: now)
            kept[function.key] = machine
            if let decision {
                changes.append(Change(function: function, decision: decision))
            }
        }
        machines = kept
        return changes
    }
}

extension Function {
    /// Whether this is the same object after a later change of its spec.
    fileprivate func isLater(than other: Function) -> Bool {
        metadata.uid == other.metadata.uid && (metadata.generation ?? 0) > (other.metadata.generation ?? 0)
    }

    /// How the function scales by itself; nil when it does not.
    var autoscaleRules: AutoscaleRules? {
        guard scalesByItself, let scale = spec.scale else { return nil }
        let least = Int(scale.min ?? FunctionScale.minDefault)
        let idleAfter = scale.idleAfter.flatMap { Duration(goStyle: $0) }
        // A time that means nothing stalls the Function; until somebody corrects it, nothing is taken away by it.
        guard scale.idleAfter == nil || idleAfter.map(FunctionLimits.idleAfter.contains) == true else { return nil }
        return AutoscaleRules(
            target: scale.targetConcurrency.map { Int($0) }, least: least,
            most: Int(scale.max ?? FunctionScale.maxDefault), idleAfter: canSleep ? idleAfter : nil,
            downAfter: scale.downAfter.flatMap { Duration(goStyle: $0) } ?? FunctionScale.downAfterDefault)
    }

    /// How long some replica has taken calls without a break; nil while none does.
    func awake(at now: Time) -> Duration? {
        guard let available = status?.conditions.condition(FunctionCondition.available.rawValue),
            available.status == .true, let since = available.lastTransitionTime
        else { return nil }
        return max(.zero, now.timestamp - since.timestamp)
    }
}
