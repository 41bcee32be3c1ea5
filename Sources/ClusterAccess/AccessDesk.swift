import Cryptography
import KubernetesClient
import Synchronization
import Timing

/// Decides what the bearer of a token may do, and remembers for a few seconds what the API server said.
///
/// It keeps hashes of tokens, never tokens. What it remembers is bounded; what it asks is bounded as well, so that a
/// stranger who makes tokens up cannot turn us into a load on the API server.
public final class AccessDesk: Sendable {
    /// What came of a question.
    public enum Answer: Sendable, Equatable {
        /// At least one of the wishes is granted.
        case yes
        /// The token is good, but not for this.
        case no
        /// The token is nobody's.
        case unknown
        /// Too many questions at once.
        case busy
    }

    private struct Question: Hashable {
        let token: SHA256Digest
        let wish: AccessReview.Wish
    }

    private struct State {
        var people: [SHA256Digest: (person: AccessReview.Person?, until: ContinuousClock.Instant)] = [:]
        var answers: [Question: (isYes: Bool, until: ContinuousClock.Instant)] = [:]
        var bucket = TokenBucket(capacity: 200, interval: .milliseconds(20))
    }

    private let review: AccessReview
    private let lifetime: Duration
    private let state = Mutex(State())

    /// A right that was taken away ends after this time.
    public static let lifetime = Duration.seconds(10)
    /// More are forgotten at once.
    private static let remembered = 4096

    /// Makes a desk that remembers nothing yet.
    ///
    /// - Parameters:
    ///   - review: Asked for what is not remembered.
    ///   - lifetime: For how long an answer of the API server counts.
    public init(review: AccessReview, lifetime: Duration = AccessDesk.lifetime) {
        self.review = review
        self.lifetime = lifetime
    }

    /// Whether it is known without a question whose token this is, or that it is nobody's.
    public func remembers(token: String) -> Bool {
        let hash = SHA256.hash(of: token)
        return state.withLock { $0.people[hash] }.map { $0.until > .now } ?? false
    }

    /// Whose token it is.
    ///
    /// - Returns: The person; nil with `.unknown` or `.busy`.
    /// - Throws: `KubernetesError` when the API server cannot be asked.
    public func identify(token: String) async throws -> (answer: Answer, person: AccessReview.Person?) {
        switch try await person(token, SHA256.hash(of: token)) {
        case .known(let person): (.yes, person)
        case .nobody: (.unknown, nil)
        case .busy: (.busy, nil)
        }
    }

    /// Whether the bearer of a token may do any of these.
    ///
    /// - Returns: The wishes that are granted, when there is one.
    /// - Throws: `KubernetesError` when the API server cannot be asked.
    public func granted(
        _ wishes: [AccessReview.Wish], token: String
    ) async throws -> (answer: Answer, wishes: [AccessReview.Wish]) {
        let hash = SHA256.hash(of: token)
        let person: AccessReview.Person
        switch try await self.person(token, hash) {
        case .known(let found): person = found
        case .nobody: return (.unknown, [])
        case .busy: return (.busy, [])
        }
        var granted: [AccessReview.Wish] = []
        for wish in wishes {
            let question = Question(token: hash, wish: wish)
            if let known = state.withLock({ $0.answers[question] }), known.until > .now {
                if known.isYes { granted.append(wish) }
                continue
            }
            guard mayAsk() else { return (.busy, []) }
            let isYes = try await review.allows(person, wish)
            state.withLock { state in
                if state.answers.count >= Self.remembered { state.answers = [:] }
                state.answers[question] = (isYes, .now + lifetime)
            }
            if isYes { granted.append(wish) }
        }
        return (granted.isEmpty ? .no : .yes, granted)
    }

    private enum Identity {
        case known(AccessReview.Person)
        case nobody
        case busy
    }

    private func person(_ token: String, _ hash: SHA256Digest) async throws -> Identity {
        if let known = state.withLock({ $0.people[hash] }), known.until > .now {
            return known.person.map { .known($0) } ?? .nobody
        }
        guard mayAsk() else { return .busy }
        let person = try await review.person(token: token)
        state.withLock { state in
            if state.people.count >= Self.remembered { state.people = [:] }
            state.people[hash] = (person, .now + lifetime)
        }
        return person.map { .known($0) } ?? .nobody
    }

    private func mayAsk() -> Bool { state.withLock { $0.bucket.take(at: .now) == nil } }
}
