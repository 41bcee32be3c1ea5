import JSON
import KubernetesTypes

/// Tells whether what we want of an object is there already, among the fields that the server and others filled in.
///
/// It follows server-side apply: members that we do not name belong to others, and so do further elements of lists whose
/// elements have a key. A list without keys is one value and must be the same. An empty value and an absent one are
/// the same, and so are two spellings of one quantity (`1000m`, `1`).
enum JSONSubset {
    /// The members by which Kubernetes tells elements of a list apart, in order of preference.
    private static let keys = ["name", "mountPath", "uid", "ip", "type"]

    /// Whether `observed` holds all that `desired` says.
    static func holds(_ desired: JSONValue, in observed: JSONValue?) -> Bool {
        guard let observed, !observed.isNull else {
            return isEmpty(desired)
        }
        switch (desired, observed) {
        case (.null, _): return true
        case (.object(let desired), .object(let observed)):
            return desired.allSatisfy { holds($0.value, in: observed[$0.key]) }
        case (.array(let desired), .array(let observed)): return holds(desired, in: observed)
        case (.string(let desired), .string(let observed)): return desired == observed || isSame(desired, observed)
        default:
            if let desired = desired.doubleValue, let observed = observed.doubleValue {
                return desired == observed
            }
            return desired == observed
        }
    }

    private static func holds(_ desired: [JSONValue], in observed: [JSONValue]) -> Bool {
        if let key = key(of: desired) {
            var byKey: [String: JSONValue] = [:]
            for element in observed {
                if let value = element[key]?.stringValue {
                    byKey[value] = element
                }
            }
            return desired.allSatisfy { element in
                guard let value = element[key]?.stringValue, let other = byKey[value] else {
                    return false
                }
                return holds(element, in: other)
            }
        }
        return desired.count == observed.count && zip(desired, observed).allSatisfy { holds($0, in: $1) }
    }

    /// The member that names every element, each differently; nil for a list that is one value.
    private static func key(of elements: [JSONValue]) -> String? {
        guard !elements.isEmpty else {
            return nil
        }
        return keys.first { key in
            var seen: Set<String> = []
            return elements.allSatisfy { element in
                guard let value = element[key]?.stringValue else {
                    return false
                }
                return seen.insert(value).inserted
            }
        }
    }

    private static func isEmpty(_ value: JSONValue) -> Bool {
        switch value {
        case .null: true
        case .bool(let value): !value
        case .string(let value): value.isEmpty
        case .array(let value): value.isEmpty
        case .object(let value): value.allSatisfy { isEmpty($0.value) }
        default: value.doubleValue == 0
        }
    }

    private static func isSame(_ left: String, _ right: String) -> Bool {
        guard let left = Quantity(left), let right = Quantity(right) else {
            return false
        }
        return left == right
    }
}
