public import KubernetesTypes

/// Proof of the money that came in on one payment stream.
///
/// One object stands for one stream (nonce and stream id), never for one call. The fields are described where the schema
/// is: `Receipt+Schema.swift`, shown by `kubectl explain receipt.spec`.
public struct Receipt: KubernetesResource, Hashable {
    /// `receipts.farebox.dev`, v1alpha1.
    public static let descriptor = ResourceDescriptor(
        group: FareboxLabel.group, version: "v1alpha1", kind: "Receipt", plural: "receipts")

    /// Name, labels and the like.
    public var metadata: ObjectMeta
    /// The proof.
    public var spec: ReceiptSpec
    /// What it was worth.
    public var status: ReceiptStatus?

    /// Makes a receipt.
    public init(metadata: ObjectMeta, spec: ReceiptSpec, status: ReceiptStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

/// The proof.
public struct ReceiptSpec: Codable, Hashable, Sendable {
    /// The receipt's bytes in base64.
    public var receipt: String
    /// The way the money came.
    public var rail: PaymentRail?

    /// Makes a proof.
    public init(receipt: String, rail: PaymentRail? = nil) {
        self.receipt = receipt
        self.rail = rail
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case receipt, rail
    }
}

/// The ways money comes.
public enum PaymentRail: String, Codable, CaseIterable, Hashable, Sendable {
    /// Interledger STREAM with receipts (RFC 39).
    case stream = "Stream"
}

/// What a receipt was worth.
public struct ReceiptStatus: Codable, Hashable, Sendable {
    /// The generation of the spec that this was computed from.
    public var observedGeneration: Int64?
    /// The nonce of the payment request, base64.
    public var nonce: String?
    /// The stream's number.
    public var streamID: String?
    /// What came in on the stream in all, in the asset's minor unit.
    public var totalReceived: String?
    /// What this object's receipts added to the function's balance, in the asset's minor unit.
    public var credited: String?
    /// The Function that was paid for, as `namespace/name`.
    public var function: String?
    /// The wallet that received the money.
    public var spspEndpoint: String?
    /// `Ready`, `Verified`, `Credited` and others.
    @OmitEmpty public var conditions: [Condition]

    /// Makes a status in which nothing is known.
    public init() {
        conditions = []
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case observedGeneration, nonce, streamID, totalReceived, credited, function, spspEndpoint, conditions
    }
}

/// The types of conditions that a Receipt has.
public enum ReceiptCondition: String, CaseIterable, Sendable {
    /// The receipt was dealt with.
    case ready = "Ready"
    /// Somebody has to act; present only while true (kstatus).
    case stalled = "Stalled"
    /// The receipt is genuine.
    case verified = "Verified"
    /// The receipt's money was credited.
    case credited = "Credited"
}
