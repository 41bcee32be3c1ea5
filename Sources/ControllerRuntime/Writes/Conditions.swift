public import KubernetesTypes

/// The conditions of one object, as one pass of its controller works them out.
///
/// It keeps the rules of kstatus: `Ready` sums up, `Reconciling` and `Stalled` are present only while true, and never both.
/// A condition's transition time moves only when its status does, so an unchanged object gives an unchanged list.
///
///     var conditions = Conditions(observed: object.status?.conditions ?? [], generation: object.metadata.generation)
///     conditions.set("Available", .true, reason: "MinimumReplicasAvailable")
///     conditions.setReady(reason: "Available", message: "2 of 2 replicas answer")
///     status.conditions = conditions.list
public struct Conditions: Sendable, Equatable {
    /// The condition that sums up all others.
    public static let ready = "Ready"

    /// Present while the controller is working towards the desired state.
    public static let reconciling = "Reconciling"

    /// Present while only a change of the object, or of what it needs, can help.
    public static let stalled = "Stalled"

    /// The longest message in bytes; the API refuses longer ones.
    public static let messageBytesMaximum = 32_768

    /// The conditions, in the order in which they first appeared.
    public private(set) var list: [Condition]

    private let generation: Int64?
    private let now: Time

    /// Starts from what the object says.
    ///
    /// - Parameters:
    ///   - observed: The object's present conditions.
    ///   - generation: The generation this pass works from; it is written into each condition that is set.
    ///   - now: The time of a transition.
    public init(observed: [Condition], generation: Int64?, now: Time) {
        // A list map with a type twice would be refused on writing: the first one wins.
        var types: Set<String> = []
        self.list = observed.filter { types.insert($0.type).inserted }
        self.generation = generation
        self.now = now
    }

    /// The condition of a type, if present.
    public subscript(_ type: String) -> Condition? { list.first { $0.type == type } }

    /// Whether the condition of this type is present and true.
    public func isTrue(_ type: String) -> Bool { self[type]?.status == .true }

    /// Sets one condition.
    ///
    /// - Parameters:
    ///   - reason: One CamelCase word for programs, never empty.
    ///   - message: What it means and what to do, for people; cut at ``messageBytesMaximum``. Never a secret.
    public mutating func set(_ type: String, _ status: ConditionStatus, reason: String, message: String = "") {
        var condition = Condition(
            type: type, status: status, reason: reason,
            message: message.prefix(bytes: Self.messageBytesMaximum), observedGeneration: generation,
            lastTransitionTime: now)
        guard let index = list.firstIndex(where: { $0.type == type }) else {
            list.append(condition)
            return
        }
        if list[index].status == status, let since = list[index].lastTransitionTime {
            condition.lastTransitionTime = since
        }
        list[index] = condition
    }

    /// Removes one condition.
    public mutating func remove(_ type: String) {
        list.removeAll { $0.type == type }
    }

    /// Says that the desired state is reached: `Ready` is true.
    public mutating func setReady(reason: String, message: String = "") {
        set(Self.ready, .true, reason: reason, message: message)
        remove(Self.reconciling)
        remove(Self.stalled)
    }

    /// Says that work goes on: `Reconciling` is true and `Ready` is what it is meanwhile.
    public mutating func setReconciling(ready: ConditionStatus = .unknown, reason: String, message: String = "") {
        set(Self.ready, ready, reason: reason, message: message)
        set(Self.reconciling, .true, reason: reason, message: message)
        remove(Self.stalled)
    }

    /// Says that nothing more can be done until something changes: `Stalled` is true and `Ready` is not.
    public mutating func setStalled(ready: ConditionStatus = .false, reason: String, message: String = "") {
        set(Self.ready, ready, reason: reason, message: message)
        set(Self.stalled, .true, reason: reason, message: message)
        remove(Self.reconciling)
    }
}
