/// Which part of a collection to read, and how fresh.
///
/// Source: Kubernetes API concepts, "Retrieving large results sets in chunks" and "Resource versions".
public struct ListOptions: Sendable, Hashable {
    /// Selects by labels, as in `app=web,tier!=cache`.
    public var labelSelector: String?
    /// Selects by fields, as in `metadata.name=hello`.
    public var fieldSelector: String?
    /// How fresh the answer has to be: `nil` or empty for the newest, `0` for whatever the server has at hand.
    public var resourceVersion: String?
    /// `Exact` or `NotOlderThan`; only with ``resourceVersion``.
    public var resourceVersionMatch: String?
    /// How many objects at most; the server may hand out fewer.
    public var limit: Int?
    /// The token of the page before.
    public var continueToken: String?

    /// Makes options; all of them are optional.
    public init(
        labelSelector: String? = nil, fieldSelector: String? = nil, resourceVersion: String? = nil,
        resourceVersionMatch: String? = nil, limit: Int? = nil, continueToken: String? = nil
    ) {
        self.labelSelector = labelSelector
        self.fieldSelector = fieldSelector
        self.resourceVersion = resourceVersion
        self.resourceVersionMatch = resourceVersionMatch
        self.limit = limit
        self.continueToken = continueToken
    }

    var query: [(name: String, value: String)] {
        queryItems([
            ("labelSelector", labelSelector), ("fieldSelector", fieldSelector), ("resourceVersion", resourceVersion),
            ("resourceVersionMatch", resourceVersionMatch), ("limit", limit.map(String.init)),
            ("continue", continueToken),
        ])
    }
}

/// Which changes to follow, from where, for how long.
public struct WatchOptions: Sendable, Hashable {
    /// The version after which to begin; `nil` or empty begins with what exists now.
    public var resourceVersion: String?
    /// Selects by labels.
    public var labelSelector: String?
    /// Selects by fields.
    public var fieldSelector: String?
    /// After which time the server ends the watch.
    public var timeout: Duration?
    /// Whether the server may send bookmarks, which tell the version of quiet collections.
    public var allowsBookmarks: Bool
    /// The longest silence after which the watch counts as broken; bookmarks come about once a minute.
    public var silenceMaximum: Duration?

    /// Makes options; by default with bookmarks.
    public init(
        resourceVersion: String? = nil, labelSelector: String? = nil, fieldSelector: String? = nil,
        timeout: Duration? = nil, allowsBookmarks: Bool = true, silenceMaximum: Duration? = nil
    ) {
        self.resourceVersion = resourceVersion
        self.labelSelector = labelSelector
        self.fieldSelector = fieldSelector
        self.timeout = timeout
        self.allowsBookmarks = allowsBookmarks
        self.silenceMaximum = silenceMaximum
    }

    var query: [(name: String, value: String)] {
        queryItems([
            ("watch", "true"), ("labelSelector", labelSelector), ("fieldSelector", fieldSelector),
            ("resourceVersion", resourceVersion), ("allowWatchBookmarks", allowsBookmarks ? "true" : nil),
            ("timeoutSeconds", timeout.map { String(max(1, $0.components.seconds)) }),
        ])
    }
}

/// On which terms to delete.
public struct DeleteOptions: Sendable, Hashable {
    /// Delete only the object with this uid.
    public var uid: String?
    /// Delete only this version of the object.
    public var resourceVersion: String?
    /// What becomes of the objects it owns; `nil` leaves it to the kind.
    public var propagation: Propagation?
    /// How long a pod may take to end; `nil` leaves it to the pod.
    public var gracePeriod: Duration?

    /// Makes options; by default without conditions.
    public init(
        uid: String? = nil, resourceVersion: String? = nil, propagation: Propagation? = nil,
        gracePeriod: Duration? = nil
    ) {
        self.uid = uid
        self.resourceVersion = resourceVersion
        self.propagation = propagation
        self.gracePeriod = gracePeriod
    }

    /// What becomes of owned objects.
    public enum Propagation: String, Sendable {
        /// They are deleted later.
        case background = "Background"
        /// They are deleted first.
        case foreground = "Foreground"
        /// They stay.
        case orphan = "Orphan"
    }
}

/// Which part of a container's log to read.
public struct LogOptions: Sendable, Hashable {
    /// The container; `nil` for the pod's only one.
    public var container: String?
    /// Only that many lines from the end.
    public var tailLines: Int?
    /// At most that many bytes.
    public var bytesMaximum: Int?
    /// Only lines that are younger.
    public var since: Duration?
    /// Whether to wait for further lines.
    public var follows: Bool
    /// Whether to read the log of the container's previous run.
    public var isPrevious: Bool
    /// Whether each line begins with its time.
    public var showsTimestamps: Bool

    /// Makes options; by default the whole log so far.
    public init(
        container: String? = nil, tailLines: Int? = nil, bytesMaximum: Int? = nil, since: Duration? = nil,
        follows: Bool = false, isPrevious: Bool = false, showsTimestamps: Bool = false
    ) {
        self.container = container
        self.tailLines = tailLines
        self.bytesMaximum = bytesMaximum
        self.since = since
        self.follows = follows
        self.isPrevious = isPrevious
        self.showsTimestamps = showsTimestamps
    }

    var query: [(name: String, value: String)] {
        queryItems([
            ("container", container), ("tailLines", tailLines.map(String.init)),
            ("limitBytes", bytesMaximum.map(String.init)),
            ("sinceSeconds", since.map { String(max(1, $0.components.seconds)) }),
            ("follow", follows ? "true" : nil), ("previous", isPrevious ? "true" : nil),
            ("timestamps", showsTimestamps ? "true" : nil),
        ])
    }
}

/// Keeps the parameters that have a value.
private func queryItems(_ items: [(String, String?)]) -> [(name: String, value: String)] {
    items.compactMap { item in
        guard let value = item.1, !value.isEmpty else { return nil }
        return (name: item.0, value: value)
    }
}
