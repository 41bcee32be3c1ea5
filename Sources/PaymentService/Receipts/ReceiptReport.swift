import CRDs
import ControllerRuntime
import Cryptography
import KubernetesTypes
import Payments

/// Turns a verdict into the status of a Receipt.
struct ReceiptReport {
    private var status: ReceiptStatus
    private var conditions: Conditions

    private init(_ receipt: Receipt, now: Time) {
        status = receipt.status ?? ReceiptStatus()
        status.observedGeneration = receipt.metadata.generation
        conditions = Conditions(observed: status.conditions, generation: receipt.metadata.generation, now: now)
    }

    /// The status that says what a verdict says.
    static func status(of receipt: Receipt, _ verdict: ReceiptVerdict, now: Time) -> ReceiptStatus {
        var report = ReceiptReport(receipt, now: now)
        report.say(verdict)
        report.status.conditions = report.conditions.list
        return report.status
    }

    private mutating func say(_ verdict: ReceiptVerdict) {
        switch verdict {
        case .refused(let reason, let message): refuse(reason, message)
        case .credited(let credit, let proof): tell(credit, proof)
        case .nothingNew(let highest, let proof, let record): tellNothingNew(highest, proof, record)
        case .shown(let record): show(record)
        case .waiting(let message):
            conditions.setReconciling(reason: ReceiptReason.ledgerUnavailable.rawValue, message: message)
        }
    }

    private mutating func refuse(_ reason: ReceiptReason, _ message: String) {
        status.credited = status.credited ?? "0"
        conditions.setStalled(reason: reason.rawValue, message: message)
        set(.verified, .false, reason, message)
        set(.credited, .false, reason)
    }

    private mutating func tell(_ credit: StreamCredit, _ proof: StreamReceipt) {
        name(nonce: proof.nonce, stream: proof.stream)
        let connection = credit.connection
        status.totalReceived = String(proof.total)
        status.function = connection.account?.name
        status.spspEndpoint = connection.endpoint
        status.credited = Self.sum(status.credited, credit.isCredited ? credit.amount : 0)
        if credit.isCredited, let account = connection.account {
            settle(
                .true, .credited, "\(credit.amount) in \(connection.asset) were added to the balance of \(account)")
        } else {
            settle(
                .false, connection.account == nil ? .paidToHost : .paidToAuthor,
                "\(credit.amount) in \(connection.asset) went to \(connection.endpoint), which is no credit of a function"
            )
        }
    }

    private mutating func tellNothingNew(_ highest: UInt64, _ proof: StreamReceipt, _ record: StreamRecord?) {
        name(nonce: proof.nonce, stream: proof.stream)
        status.totalReceived = String(highest)
        status.credited = status.credited ?? "0"
        if let record {
            status.function = record.account?.name
            status.spspEndpoint = record.endpoint
        }
        settle(
            .false, .nothingNew,
            "nothing was added: the total of \(proof.total) is not above \(highest), which was seen on this stream before"
        )
    }

    private mutating func show(_ record: StreamRecord) {
        name(nonce: record.nonce, stream: record.stream)
        status.totalReceived = String(record.total)
        status.credited = String(record.credited)
        status.function = record.account?.name
        status.spspEndpoint = record.endpoint
        if record.credited > 0, let account = record.account {
            settle(.true, .credited, "\(record.credited) in \(record.asset) were added to the balance of \(account)")
        } else {
            settle(
                .false, record.account == nil ? .paidToHost : .paidToAuthor,
                "\(record.total) in \(record.asset) went to \(record.endpoint), which is no credit of a function")
        }
    }

    private mutating func name(nonce: [UInt8], stream: UInt8) {
        status.nonce = Base64.encode(nonce)
        status.streamID = String(stream)
    }

    /// A genuine receipt is dealt with.
    private mutating func settle(_ credited: ConditionStatus, _ reason: ReceiptReason, _ message: String) {
        conditions.setReady(reason: reason.rawValue, message: message)
        set(.verified, .true, .genuine)
        set(.credited, credited, reason, message)
    }

    private mutating func set(
        _ type: ReceiptCondition, _ value: ConditionStatus, _ reason: ReceiptReason, _ message: String = ""
    ) {
        conditions.set(type.rawValue, value, reason: reason.rawValue, message: message)
    }

    /// What was credited before and now; a status that says nonsense counts as 0.
    private static func sum(_ before: String?, _ amount: UInt64) -> String {
        let (sum, overflows) = (before.flatMap { UInt64($0) } ?? 0).addingReportingOverflow(amount)
        return String(overflows ? .max : sum)
    }
}
