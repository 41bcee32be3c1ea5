public import KubernetesTypes

/// Who owns a function, and what it is called: two names that are never joined to tell functions apart.
///
/// `alex` + `ellis-fn` and `alex-ellis` + `fn` give the same object name; their identities differ, and the one that came
/// first keeps the name (DESIGN §5).
public struct FunctionIdentity: Hashable, Sendable {
    /// Who owns the function.
    public let owner: OwnerName
    /// The function's name inside its owner.
    public let function: String

    /// Makes an identity.
    public init(owner: OwnerName, function: String) {
        self.owner = owner
        self.function = function
    }

    /// The name of the Function object: `<owner in lower case>-<function>`.
    public var objectName: String { "\(owner.lowercased)-\(function)" }

    /// The labels of the Function object: for selecting, in sanitised form.
    public var labels: [String: String] {
        [
            FareboxLabel.owner: LabelValue.sanitised(owner.display),
            FareboxLabel.function: LabelValue.sanitised(function),
        ]
    }

    /// The annotations of the Function object: the exact names.
    public var annotations: [String: String] {
        [FareboxAnnotation.owner: owner.display, FareboxAnnotation.function: function]
    }

    /// Reads the identity of an object: the annotations, else the labels.
    ///
    /// - Returns: `nil` when the object names no owner, as one applied by hand.
    public init?(of metadata: ObjectMeta) {
        func value(_ key: String) -> String? {
            [metadata.annotations[key], metadata.labels[key]].compactMap { $0 }.first { !$0.isEmpty }
        }
        guard let owner = value(FareboxAnnotation.owner) else { return nil }
        self.init(owner: OwnerName(owner), function: value(FareboxAnnotation.function) ?? metadata.name)
    }
}
