/// Random changes to waits, so that many waiters do not come back at the same moment.
public struct Jitter: Sendable, Hashable {
    /// The largest change as a share of the duration, from 0 to 1.
    public let fraction: Double

    /// Makes a jitter.
    ///
    /// - Parameter fraction: The largest change as a share of the duration, from 0 to 1.
    public init(_ fraction: Double) {
        precondition((0...1).contains(fraction), "a jitter is from 0 to 1")
        self.fraction = fraction
    }

    /// Takes a random part away: from nothing up to `fraction` of the duration.
    ///
    /// - Parameters:
    ///   - duration: What to change.
    ///   - generator: Where chance comes from.
    /// - Returns: A duration from `(1 - fraction) × duration` to `duration`.
    public func shortened(_ duration: Duration, using generator: inout some RandomNumberGenerator) -> Duration {
        guard fraction > 0 else { return duration }
        return duration * (1 - fraction * Double.random(in: 0...1, using: &generator))
    }

    /// Adds a random part: from nothing up to `fraction` of the duration.
    ///
    /// - Parameters:
    ///   - duration: What to change.
    ///   - generator: Where chance comes from.
    /// - Returns: A duration from `duration` to `(1 + fraction) × duration`.
    public func lengthened(_ duration: Duration, using generator: inout some RandomNumberGenerator) -> Duration {
        guard fraction > 0 else { return duration }
        return duration * (1 + fraction * Double.random(in: 0...1, using: &generator))
    }

    /// Takes a random part away, by the system's generator.
    ///
    /// - Parameter duration: What to change.
    /// - Returns: A duration from `(1 - fraction) × duration` to `duration`.
    public func shortened(_ duration: Duration) -> Duration {
        var generator = SystemRandomNumberGenerator()
        return shortened(duration, using: &generator)
    }

    /// Adds a random part, by the system's generator.
    ///
    /// - Parameter duration: What to change.
    /// - Returns: A duration from `duration` to `(1 + fraction) × duration`.
    public func lengthened(_ duration: Duration) -> Duration {
        var generator = SystemRandomNumberGenerator()
        return lengthened(duration, using: &generator)
    }
}
