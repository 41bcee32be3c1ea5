/// Puts libyaml's events together to trees, within limits.
struct YAMLComposer {
    /// A node that an alias may repeat, with what a repetition costs.
    private struct Composed {
        let node: YAMLNode
        /// Its size as `Limits.expandedBytesMaximum` counts it.
        var bytes: Int
        /// How many levels of lists and mappings it has; a scalar has none.
        var height: Int
    }

    private let events: YAMLEvents
    private let limits: YAMLReader.Limits
    private var anchors: [String: Composed] = [:]
    private var aliasCount = 0
    private var expandedBytes = 0

    init(events: YAMLEvents, limits: YAMLReader.Limits) {
        self.events = events
        self.limits = limits
    }

    mutating func documents() throws(YAMLError) -> [YAMLNode] {
        var documents: [YAMLNode] = []
        while true {
            let event = try events.next()
            switch event.kind {
            case .streamStart: continue
            case .streamEnd: return documents
            case .documentStart:
                guard documents.count < limits.documentsMaximum else {
                    throw .limitExceeded(
                        reason: "more than the \(limits.documentsMaximum) documents allowed", location: event.location)
                }
                anchors = [:]
                documents.append(try node(events.next(), depth: 1).node)
                _ = try events.next()  // The end of the document.
            default:
                throw .malformed(reason: "expected a document", location: event.location)
            }
        }
    }

    private mutating func node(_ event: YAMLEvents.Event, depth: Int) throws(YAMLError) -> Composed {
        let composed: Composed
        let name: String?
        switch event.kind {
        case .alias(let anchor):
            return try alias(anchor, at: event.location, depth: depth)
        case .scalar(let text, let tag, let anchor, let isPlain):
            let scalar = try self.scalar(text, tag, isPlain, event.location)
            composed = Composed(node: YAMLNode(.scalar(scalar), at: event.location), bytes: text.utf8.count, height: 0)
            name = anchor
        case .sequenceStart(let tag, let anchor):
            try check(tag, is: "seq", event.location)
            composed = try sequence(at: event.location, depth: depth)
            name = anchor
        case .mappingStart(let tag, let anchor):
            try check(tag, is: "map", event.location)
            composed = try mapping(at: event.location, depth: depth)
            name = anchor
        default:
            throw .malformed(reason: "expected a value", location: event.location)
        }
        // The parts of a collection have been counted; what is new is a scalar's text and the node itself.
        try count((composed.height == 0 ? composed.bytes : 0) + Self.nodeBytes, at: event.location)
        let sized = Composed(node: composed.node, bytes: composed.bytes + Self.nodeBytes, height: composed.height)
        if let name { anchors[name] = sized }
        return sized
    }

    /// What a node counts beside its text.
    private static let nodeBytes = 16

    private mutating func alias(
        _ anchor: String, at location: YAMLLocation, depth: Int
    ) throws(YAMLError) -> Composed {
        aliasCount += 1
        guard aliasCount <= limits.aliasesMaximum else {
            throw .limitExceeded(reason: "more than the \(limits.aliasesMaximum) aliases allowed", location: location)
        }
        guard let target = anchors[anchor] else {
            throw .malformed(reason: "the alias repeats an anchor that is not there", location: location)
        }
        try checkDepth(depth + target.height - 1, at: location)
        try count(target.bytes, at: location)
        return target
    }

    private mutating func sequence(at location: YAMLLocation, depth: Int) throws(YAMLError) -> Composed {
        try checkDepth(depth, at: location)
        var elements: [YAMLNode] = []
        var bytes = 0
        var height = 0
        while true {
            let event = try events.next()
            if case .sequenceEnd = event.kind { break }
            let element = try node(event, depth: depth + 1)
            elements.append(element.node)
            bytes += element.bytes
            height = max(height, element.height)
        }
        return Composed(node: YAMLNode(.sequence(elements), at: location), bytes: bytes, height: height + 1)
    }

    private mutating func mapping(at location: YAMLLocation, depth: Int) throws(YAMLError) -> Composed {
        try checkDepth(depth, at: location)
        var mapping = YAMLMapping()
        var merged: [YAMLMapping] = []
        var bytes = 0
        var height = 0
        while true {
            let event = try events.next()
            if case .mappingEnd = event.kind { break }
            guard case .scalar(let key, nil, nil, let isPlain) = event.kind else {
                throw .malformed(reason: "a key must be a plain or quoted text", location: event.location)
            }
            try count(key.utf8.count, at: event.location)
            let value = try node(events.next(), depth: depth + 1)
            bytes += key.utf8.count + value.bytes
            height = max(height, value.height)
            if key == "<<", isPlain {
                merged += try sources(ofMerge: value.node)
                continue
            }
            if let first = mapping.entry(key)?.keyLocation {
                throw .malformed(
                    reason: "the key \"\(key.prefix(64))\" is there twice, first at \(first)", location: event.location)
            }
            mapping.append(YAMLMapping.Entry(key: key, keyLocation: event.location, value: value.node))
        }
        for source in merged {
            for entry in source.entries { mapping.append(entry) }
        }
        return Composed(node: YAMLNode(.mapping(mapping), at: location), bytes: bytes, height: height + 1)
    }

    /// The mappings that a merge key names (yaml.org, "Merge Key Language-Independent Type"); earlier ones win.
    private func sources(ofMerge node: YAMLNode) throws(YAMLError) -> [YAMLMapping] {
        if let mapping = node.mapping { return [mapping] }
        let mappings = node.elements?.compactMap(\.mapping) ?? []
        guard let elements = node.elements, elements.count == mappings.count else {
            throw .malformed(reason: "expected a mapping or a list of mappings to merge", location: node.location)
        }
        return mappings
    }

    private mutating func count(_ bytes: Int, at location: YAMLLocation) throws(YAMLError) {
        expandedBytes += bytes
        guard expandedBytes <= limits.expandedBytesMaximum else {
            throw .limitExceeded(
                reason: "more than the \(limits.expandedBytesMaximum) bytes allowed after following aliases",
                location: location)
        }
    }

    private func checkDepth(_ depth: Int, at location: YAMLLocation) throws(YAMLError) {
        guard depth <= limits.depthMaximum else {
            throw .limitExceeded(
                reason: "lists and mappings nest deeper than the \(limits.depthMaximum) levels allowed",
                location: location)
        }
    }

    private func scalar(
        _ text: String, _ tag: String?, _ isPlain: Bool, _ location: YAMLLocation
    ) throws(YAMLError) -> YAMLScalar {
        let plain = YAMLScalar(plain: text)
        switch (tag, plain.value) {
        case (nil, _): return isPlain ? plain : YAMLScalar(string: text)
        case ("!", _), ("tag:yaml.org,2002:str", _): return YAMLScalar(string: text)
        case ("tag:yaml.org,2002:null", .null), ("tag:yaml.org,2002:bool", .bool),
            ("tag:yaml.org,2002:int", .integer), ("tag:yaml.org,2002:int", .unsigned),
            ("tag:yaml.org,2002:float", .double):
            return plain
        case ("tag:yaml.org,2002:float", .integer(let value)):
            return YAMLScalar(text: text, value: .double(Double(value)))
        default: throw .malformed(reason: "unknown tag, or a value that it does not fit", location: location)
        }
    }

    private func check(_ tag: String?, is name: String, _ location: YAMLLocation) throws(YAMLError) {
        guard tag == nil || tag == "!" || tag == "tag:yaml.org,2002:" + name else {
            throw .malformed(reason: "unknown tag, or a value that it does not fit", location: location)
        }
    }
}
