/// Decides how many replicas one function should have, as a value: samples of its load in, numbers out.
///
/// The rule is Knative's: as many replicas as the mean number of calls at once over the stable window needs, and at once
/// as many as the last seconds need when that is twice what there is; then none is taken away until it was calm for a whole
/// stable window. Replicas are taken away only after fewer would have been enough all through `downAfter`, and only when
/// every gateway was heard. Small differences are ignored, so that a steady load never makes the number go to and fro.
/// To zero it goes by idle time alone; from there it is the gateways that wake a function.
public struct AutoscaleMachine: Sendable {
    /// Over which time the load is averaged.
    public static let stableWindow = Duration.seconds(60)
    /// Over which time it is averaged to see a sudden rise.
    public static let panicWindow = Duration.seconds(6)
    /// By which share the load may be above what the replicas are for before another is added.
    public static let tolerance = 0.1
    /// Samples further apart than this do not belong together: nobody looked in between.
    public static let gapMaximum = Duration.seconds(20)
    /// Samples kept: those of the stable window, two seconds apart, with room for some that come sooner.
    private static let samplesMaximum = 64

    /// A number of replicas, and why.
    public struct Decision: Sendable, Equatable {
        /// Why the number changes.
        public enum Cause: String, Sendable {
            /// More calls at once.
            case load = "ScaledUp"
            /// Fewer calls at once.
            case calm = "ScaledDown"
            /// No call.
            case idle = "ScaledToZero"
        }

        /// How many there should be.
        public let replicas: Int
        /// Why.
        public let cause: Cause
    }

    private typealias Instant = ContinuousClock.Instant

    private var samples: [(at: Instant, concurrency: Double)] = []
    /// What was wanted when, the greatest first and each later one smaller: enough to tell the greatest of any time until now.
    private var wants: [(at: Instant, replicas: Int)] = []
    /// Since when samples come without a gap.
    private var since: Instant?
    private var panicUntil: Instant?

    /// Makes a machine that knows nothing yet.
    public init() {}

    /// Takes one sample and decides.
    ///
    /// - Parameters:
    ///   - sample: The load since the last one.
    ///   - replicas: How many there should be as of now.
    ///   - awake: How long some replica has taken calls without a break; `nil` while none does.
    ///   - rules: How the function scales.
    ///   - now: The current time.
    /// - Returns: How many there should be instead; `nil` for no change.
    public mutating func decide(
        _ sample: LoadSample, replicas: Int, awake: Duration?, rules: AutoscaleRules, now: ContinuousClock.Instant
    ) -> Decision? {
        guard replicas > 0 else {
            self = AutoscaleMachine()
            return nil
        }
        if let last = samples.last, last.at + Self.gapMaximum < now {
            self = AutoscaleMachine()
        }
        since = since ?? now
        add(sample, now)
        if isIdle(sample, awake, rules) {
            return Decision(replicas: 0, cause: .idle)
        }
        guard let target = rules.target else { return nil }
        let wanted = want(target: Double(target), replicas: replicas, rules, sample.isComplete, now)
        guard wanted != replicas else { return nil }
        return Decision(replicas: wanted, cause: wanted > replicas ? .load : .calm)
    }

    private func isIdle(_ sample: LoadSample, _ awake: Duration?, _ rules: AutoscaleRules) -> Bool {
        guard let idleAfter = rules.idleAfter, sample.isComplete, sample.inFlight == 0, let idle = sample.idle,
            let awake
        else { return false }
        // One that has just been started may not have got its first call yet.
        return idle >= idleAfter && awake >= idleAfter
    }

    private mutating func add(_ sample: LoadSample, _ now: Instant) {
        samples.removeAll { $0.at + Self.stableWindow < now }
        if samples.count >= Self.samplesMaximum {
            samples.removeFirst()
        }
        let given = sample.concurrency.isFinite ? max(0, sample.concurrency) : 0
        // What a gateway that is not heard has of it is not nothing.
        samples.append((now, sample.isComplete ? given : max(given, mean(over: Self.stableWindow, now))))
    }

    private func mean(over window: Duration, _ now: Instant) -> Double {
        let within = samples.filter { $0.at + window >= now }
        guard !within.isEmpty else { return 0 }
        return within.reduce(0) { $0 + $1.concurrency } / Double(within.count)
    }

    private mutating func want(
        target: Double, replicas: Int, _ rules: AutoscaleRules, _ isComplete: Bool, _ now: Instant
    ) -> Int {
        let stable = mean(over: Self.stableWindow, now)
        let recent = mean(over: Self.panicWindow, now)
        let sudden = Self.needed(recent, target, rules)
        var wanted = Self.needed(stable, target, rules)
        if recent >= 2 * target * Double(replicas) {
            panicUntil = now + Self.stableWindow
        }
        if let panicUntil, now < panicUntil {
            wanted = max(wanted, sudden, replicas)
        } else if wanted > replicas, stable <= target * Double(replicas) * (1 + Self.tolerance) {
            wanted = replicas
        }
        wanted = min(max(wanted, rules.least), rules.most)
        // A number beyond the bounds is brought back by whoever renders it; here it only must not count as a wish.
        let wish = isComplete ? wanted : max(wanted, min(replicas, rules.most))
        wants.removeAll { $0.at + rules.downAfter < now || $0.replicas <= wish }
        wants.append((now, wish))
        guard wish < replicas else { return wish }
        let calm = max(Self.stableWindow, rules.downAfter)
        guard let since, since + calm <= now else { return replicas }
        return min(replicas, wants.first?.replicas ?? replicas)
    }

    /// How many replicas so many calls at once need.
    private static func needed(_ concurrency: Double, _ target: Double, _ rules: AutoscaleRules) -> Int {
        let exact = (concurrency / target).rounded(.up)
        // Far beyond any bound a number stays one.
        return exact < Double(rules.most) ? max(rules.least, Int(exact)) : rules.most
    }
}
