/// How calls of the function are made that nobody waits for.
public struct FunctionAsync: Codable, Hashable, Sendable {
    /// How many are under way at once, in each gateway.
    public var concurrency: Int32?
    /// How often a call is tried.
    public var attempts: Int32?
    /// The wait after the first attempt.
    public var retryMinimum: String?
    /// The longest wait.
    public var retryMaximum: String?
    /// Statuses of answers that a call is tried again after.
    public var retryStatuses: [Int32]?

    /// Makes one.
    public init(
        concurrency: Int32? = nil, attempts: Int32? = nil, retryMinimum: String? = nil, retryMaximum: String? = nil,
        retryStatuses: [Int32]? = nil
    ) {
        self.concurrency = concurrency
        self.attempts = attempts
        self.retryMinimum = retryMinimum
        self.retryMaximum = retryMaximum
        self.retryStatuses = retryStatuses
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case concurrency, attempts, retryMinimum, retryMaximum, retryStatuses
    }
}

extension FunctionAsync {
    static let schema = Schema.object(
        """
        How calls of `/async-function/<name>` are made. What is absent is as the gateway's configuration has it for all functions.
        """, CodingKeys.self
    ) { key in
        switch key {
        case .concurrency:
            .integer(
                """
                How many such calls may be under way at once, in each gateway; never more than `maxInflight` and \
                `maxInflightPerReplica` let through.
                """, in: 1...1000)
        case .attempts: .integer("How often a call is tried before it is put away.", in: 1...100)
        case .retryMinimum:
            .duration("The wait after the first attempt, `1s` to `1h`; it doubles with each further one.")
        case .retryMaximum: .duration("The longest wait between two attempts, `1s` to `24h`.")
        case .retryStatuses:
            .set(
                """
                Statuses of the function's answers after which a call is tried again; 408, 429 and 500 to 599 when absent. \
                Where the function gave no answer a call is always tried again.
                """,
                of: .integer("A status.", in: 400...599), maximum: 50)
        }
    }
}
