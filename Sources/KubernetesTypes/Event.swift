/// A report of something that happened to an object.
///
/// Source: Kubernetes API, `events.k8s.io/v1` Event.
public struct Event: KubernetesResource, Hashable {
    /// `events` of `events.k8s.io/v1`.
    public static let descriptor = ResourceDescriptor(
        group: "events.k8s.io", version: "v1", kind: "Event", plural: "events")

    /// The object's metadata; the namespace is the regarded object's, or `default` for a cluster-scoped one.
    public var metadata: ObjectMeta
    /// When it was seen first.
    public var eventTime: MicroTime?
    /// How often since, when more than once.
    public var series: Series?
    /// The controller that reports, such as `farebox.dev/function`.
    @OmitEmpty public var reportingController: String
    /// Which instance of it, at most 128 bytes.
    @OmitEmpty public var reportingInstance: String
    /// What the controller did or tried, at most 128 bytes.
    @OmitEmpty public var action: String
    /// Why, in CamelCase, at most 128 bytes.
    @OmitEmpty public var reason: String
    /// The object it is about.
    public var regarding: ObjectReference?
    /// A further object that matters.
    public var related: ObjectReference?
    /// The report for people, at most 1024 bytes.
    @OmitEmpty public var note: String
    /// `Normal` or `Warning`.
    @OmitEmpty public var type: String

    /// Makes an event.
    public init(
        metadata: ObjectMeta, eventTime: MicroTime? = nil, series: Series? = nil, reportingController: String = "",
        reportingInstance: String = "", action: String = "", reason: String = "", regarding: ObjectReference? = nil,
        related: ObjectReference? = nil, note: String = "", type: String = ""
    ) {
        self.metadata = metadata
        self.eventTime = eventTime
        self.series = series
        self.reportingController = reportingController
        self.reportingInstance = reportingInstance
        self.action = action
        self.reason = reason
        self.regarding = regarding
        self.related = related
        self.note = note
        self.type = type
    }

    /// The repetitions of an event.
    public struct Series: Codable, Hashable, Sendable {
        /// How often it was seen in all, at least 2.
        public var count: Int32
        /// When it was seen last.
        public var lastObservedTime: MicroTime

        /// Makes a series.
        public init(count: Int32, lastObservedTime: MicroTime) {
            self.count = count
            self.lastObservedTime = lastObservedTime
        }
    }
}
