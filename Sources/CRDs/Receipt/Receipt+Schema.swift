extension Receipt {
    /// The schema of the fields.
    static let schema = Schema.object(
        """
        Proof of the money that came in on one payment stream. Applied by hand it is verified and credited once; applied \
        again, or with an older total, it adds nothing. Farebox makes one for each stream it took receipts of, and removes it \
        some days after; the ledger keeps the truth.
        """, RootKeys.self, required: [.spec]
    ) { key in
        switch key {
        case .metadata: .metadata(namePattern: Schema.subdomainPattern, nameMaximum: 253)
        case .spec: ReceiptSpec.schema
        case .status: ReceiptStatus.schema
        }
    }

    /// The columns of `kubectl get receipts`.
    static let columns: [PrinterColumn] = [
        PrinterColumn("Function", ".status.function", "The Function that was paid for."),
        PrinterColumn("Received", ".status.totalReceived", "What came in on the stream in all."),
        PrinterColumn("Credited", ".status.credited", "What it added to the function's balance."),
        PrinterColumn(
            "Verified", #".status.conditions[?(@.type=="Verified")].status"#, "Whether the receipt is genuine."),
        .age,
        .reason(isWide: true),
    ]

    private enum RootKeys: String, CodingKey, CaseIterable {
        case metadata, spec, status
    }
}

extension ReceiptSpec {
    static let schema = Schema.object("The proof.", CodingKeys.self, required: [.receipt]) { key in
        switch key {
        case .receipt:
            // 58 bytes are 77 full characters of base64, one with two meaningful bits, and two of padding.
            .string(
                """
                The receipt's 58 bytes in base64, as the wallet gave it. A newer receipt of the same stream may take its \
                place; one of another stream belongs into another object (reason Immutable).
                """,
                pattern: "^[A-Za-z0-9+/]{77}[AQgw]==$", minimum: 80, maximum: 80)
        case .rail: .choice("The way the money came.", of: PaymentRail.self, defaultValue: .stream)
        }
    }
}

extension ReceiptStatus {
    static let schema = Schema.object("What it was worth. Written by Farebox only.", CodingKeys.self) { key in
        switch key {
        case .observedGeneration: .observedGeneration
        case .nonce: .string("The nonce of the payment request, base64.", maximum: 64)
        case .streamID: .string("The stream's number.", maximum: 20)
        case .totalReceived:
            .string("What came in on the stream in all, in the asset's minor unit.", maximum: 20)
        case .credited:
            .string(
                "What this object's receipts added to the function's balance, in the asset's minor unit.", maximum: 20)
        case .function: .string("The Function that was paid for, as `namespace/name`.", maximum: 317)
        case .spspEndpoint: .string("The wallet that received the money.", maximum: 2048)
        case .conditions: .conditions("Ready, Verified and Credited; Stalled only while true.")
        }
    }
}
