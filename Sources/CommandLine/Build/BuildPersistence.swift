/// How a client of the Function Builder API goes on: what happened in, what to do next out.
///
/// A build is known by what it is made of, so sending it again never builds it twice at the same time. Everything is counted:
/// a builder that never comes to an end is given up.
struct BuildPersistence: Sendable, Hashable {
    /// How long to hold out against a builder that has no place free, or goes away under a build.
    struct Patience: Sendable, Hashable {
        /// Tries against a full builder.
        var triesMaximum = 60
        /// Tries against a builder that cannot build, before it took the build for the first time.
        var startsMaximum = 4
        /// Tries against a builder that took the build and is away: a restart has the time of the usual pause for each.
        var returnsMaximum = 36
        /// Answers of one build that break off.
        var breaksMaximum = 5
        /// How often one build is sent anew because the builder gave it up or does not know it any more.
        var resendsMaximum = 5
        /// The wait where the builder names none.
        var pause = Duration.seconds(5)
        /// The longest wait that a builder may name.
        var pauseMaximum = Duration.seconds(30)
        /// The wait after the first break, doubled for each further one: what broke it needs a moment to pass.
        var breakPause = Duration.milliseconds(400)
    }

    /// What happened.
    enum Event: Sendable, Hashable {
        /// There is no place free; the builder may name a wait.
        case full(Duration?)
        /// Something answers in the builder's place, or broke off before it answered; it may name a wait.
        case away(Duration?)
        /// Nothing answers.
        case unreachable
        /// The answer began and has no end.
        case broke
        /// The builder does not know the build that it took.
        case forgotten
        /// The builder gave the build up, for a reason of its own.
        case interrupted
    }

    /// What to do next.
    enum Step: Sendable, Hashable {
        /// Send the build.
        case send(after: Duration)
        /// Ask for the build by its id.
        case ask(after: Duration)
        /// It has no end.
        case giveUp
    }

    let patience: Patience
    private(set) var isAdmitted = false
    private var fulls = 0
    private var absences = 0
    private var breaks = 0
    private var resends = 0
    /// Whether the next step after an absence asks, and does not send.
    private var asks = false

    init(_ patience: Patience) { self.patience = patience }

    /// The builder took the build, or goes on telling of it.
    mutating func admitted() {
        isAdmitted = true
        absences = 0
    }

    /// Decides.
    ///
    /// - Parameter canAsk: Whether the build has an id.
    mutating func next(after event: Event, canAsk: Bool) -> Step {
        switch event {
        case .full(let wait):
            fulls += 1
            return fulls < patience.triesMaximum ? step(after: pause(wait)) : .giveUp
        case .unreachable where !isAdmitted: return .giveUp
        case .unreachable: return absent(nil)
        case .away(let wait): return absent(wait)
        case .broke:
            breaks += 1
            guard breaks <= patience.breaksMaximum, canAsk else { return .giveUp }
            asks = true
            return .ask(after: patience.breakPause * (1 << min(breaks - 1, 4)))
        case .forgotten, .interrupted:
            resends += 1
            asks = false
            return resends <= patience.resendsMaximum ? .send(after: patience.pause) : .giveUp
        }
    }

    /// What a person is told of an event; nil for what repeats itself.
    ///
    /// - Parameter name: What messages call the builder.
    func word(on event: Event, by name: String) -> String? {
        switch event {
        case .full: fulls == 1 ? "\(name) has no place free; waiting for one" : nil
        case .away, .unreachable:
            if absences > 1 {
                nil
            } else if isAdmitted {
                "waiting until \(name) is back"
            } else {
                "\(name) is not ready; trying again"
            }
        case .broke: nil
        case .forgotten, .interrupted: "\(name) was restarted; sending the build again"
        }
    }

    private mutating func absent(_ wait: Duration?) -> Step {
        absences += 1
        let triesMaximum = isAdmitted ? patience.returnsMaximum : patience.startsMaximum
        return absences < triesMaximum ? step(after: pause(wait)) : .giveUp
    }

    private func step(after wait: Duration) -> Step { asks ? .ask(after: wait) : .send(after: wait) }

    private func pause(_ wait: Duration?) -> Duration { wait.map { min($0, patience.pauseMaximum) } ?? patience.pause }
}
