import CRDs
import Commands
import JSON
import KubernetesTypes
import Timing

/// `farebox pay`.
enum PayCommand {
    static let description = CommandDescription(
        "pay", section: .platform, "shows what a function costs, its balance, and what was paid",
        discussion: """
            Shows the price of a call, what was paid ahead and how many calls that is, and the
            receipts that came in for the function, as its status and the Receipt objects tell.
            Each payment and each block of calls is in the ledger: `farebox ledger statement`.
            """,
        arguments: [.init("function", completion: .functions, "the function's name")],
        options: [OutputFormat.option] + Cluster.options,
        refusedOptions: Server.refusal,
        examples: ["farebox pay hello", "farebox pay hello -o json"])

    static func run(_ options: Options, _ console: Console) async throws {
        let format = try OutputFormat(options)
        let name = try options.requiredArgument("function")
        try await Server.refuse("pay", options, console)
        let cluster = try Cluster(options, console)
        let progress = Progress(console)
        defer { progress.end() }
        progress.begin("asking the cluster")
        let function = try await cluster.function(name)
        let key = "\(cluster.namespace)/\(name)"
        let receipts = try await cluster.readAll(Receipt.self, in: nil).filter { $0.object.status?.function == key }
        progress.end()
        let value: JSONValue = ["function": function.value, "receipts": .array(receipts.map(\.value))]
        try console.show(
            Finding(table: Table([]), value: value, names: [function.name] + receipts.map(\.name)), as: format,
            details: details(function.object, receipts.map(\.object), now: .now))
    }

    /// What a person is told.
    static func details(_ function: Function, _ receipts: [Receipt], now: Timestamp) -> Details {
        let payment = function.spec.payment
        let scale = payment?.price?.assetScale ?? 0
        var details = Details()
        details.add("Function", Table.Cell(function.metadata.name))
        guard let payment else {
            details.add("Price", Table.Cell("calls cost nothing"))
            return details
        }
        details.add("Price", Table.Cell(payment.price.map { PriceText.text($0) }))
        details.add("Unpaid calls", Table.Cell(payment.required == true ? "are refused (402)" : "go through"))
        details.add("Bonus calls", payment.bonusCalls.map { "\($0)" })
        details.add("Paid to", payment.paymentPointer)
        details.add("Balance", Table.Cell(PriceText.balance(of: function)))
        details.add("Calls left", Table.Cell(function.status?.remainingCalls.map { "\($0)" }))
        if let funded = function.status?.conditions.condition(FunctionCondition.funded.rawValue) {
            details.add("Funded", Table.Cell(funded.reason, funded.status == .true ? .good : .bad))
        }
        guard !receipts.isEmpty else { return details }
        // In 80 columns: the asset stands above, and so far there is one rail.
        var table = Table(["RECEIPT", "RECEIVED", "CREDITED", "AGE"])
        for receipt in receipts {
            table.add([
                Table.Cell(receipt.metadata.name),
                Table.Cell(receipt.status.map { PriceText.amount($0.totalReceived ?? "", scale: scale) }),
                Table.Cell(receipt.status.map { PriceText.amount($0.credited ?? "", scale: scale) }),
                Table.Cell(Age.text(receipt.metadata.creationTimestamp, now: now)),
            ])
        }
        details.table = table
        return details
    }
}
