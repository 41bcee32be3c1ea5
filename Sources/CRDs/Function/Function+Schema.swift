import JSON

extension Function {
    /// The schema of the fields.
    static let schema = Schema.object(
        "A function: an image that runs in a sandbox, behind a network policy, at a URL.", RootKeys.self,
        required: [.spec]
    ) { key in
        switch key {
        case .metadata: metadataSchema
        case .spec: FunctionSpec.schema
        case .status: FunctionStatus.schema
        }
    }

    /// The columns of `kubectl get functions`.
    static let columns: [PrinterColumn] = [
        .ready,
        PrinterColumn("URL", ".status.url", "Where to call the function."),
        PrinterColumn("Replicas", type: "integer", ".status.replicas", "Replicas there are."),
        PrinterColumn("Commit", ".status.commit", "The commit the image was built from."),
        PrinterColumn("Balance", ".status.balance", "What was paid and not yet used."),
        .age,
        PrinterColumn("Image", ".status.image", "The image in use, pinned to its digest.", isWide: true),
        PrinterColumn("RuntimeClass", ".status.runtimeClassName", "The sandbox in use.", isWide: true),
        .reason(isWide: true),
    ]

    private enum RootKeys: String, CodingKey, CaseIterable {
        case metadata, spec, status
    }

    /// The name is limited because the pods bear it as a label and the Service as its name: 63 characters, of which `fn-`
    /// takes three when the name begins with a digit.
    private static let metadataSchema = Schema.metadata(namePattern: Schema.labelPattern, nameMaximum: 60)
}

extension FunctionSpec {
    static let schema = Schema.object("What should run, and how.", CodingKeys.self, required: [.image]) { key in
        switch key {
        case .image: imageSchema
        case .source: FunctionSource.schema
        case .port:
            .integer("The TCP port the function listens on.", in: 1...65535, defaultValue: Int64(portDefault))
        case .environment:
            .map(
                """
                Plain environment variables by name. Everybody who can read the Function can read them: put confidential \
                values into a Secret and name it in `secrets`.
                """,
                of: .string("The variable's value; null is the empty text.", maximum: 32768, isNullable: true),
                maximum: 128)
        case .secrets:
            .set(
                """
                Names of Secrets in the Function's namespace. Each key becomes a file in /var/openfaas/secrets and in \
                /secrets. While one is missing the Function waits for it and says so (reason SecretMissing). A Function that \
                has an owner uses only Secrets labelled farebox.dev/owner=<owner> (reason SecretNotOwned).
                """,
                of: Schema.objectName("The name of a Secret."), maximum: 32)
        case .resources: FunctionResources.schema
        case .replicas:
            .integer(
                """
                How many replicas should run now. `kubectl scale function/<name> --replicas=<n>` sets it; a number outside \
                scale.min and scale.max is brought to the nearer of the two.
                """,
                in: 0...1000, defaultValue: Int64(replicasDefault))
        case .scale: FunctionScale.schema
        case .runtimeClassName:
            Schema.objectName(
                """
                The RuntimeClass that is the function's sandbox, such as `gvisor`; the cluster's default when absent. When \
                the RuntimeClass does not exist the Function stalls (reason RuntimeClassMissing): it never runs unsandboxed.
                """)
        case .egress: egressSchema
        case .health: FunctionHealth.schema
        case .timeout:
            .duration(
                """
                How long a call may take before the gateway answers 504, such as `30s` or `5m`; the cluster's default when \
                absent. A replica that ends gets this time to finish its calls.
                """)
        case .maxInflight:
            .integer(
                """
                How many calls may run at once over all replicas; more are answered 429 with Retry-After. No limit of the \
                function's own when absent.
                """,
                in: 1...100_000)
        case .maxInflightPerReplica:
            .integer(
                """
                How many calls one replica may have at once; when all replicas have so many, more are answered 429 with \
                Retry-After. 1 for a handler that cannot do two things at a time. No limit when absent.
                """,
                in: 1...100_000)
        case .async: FunctionAsync.schema
        case .readOnlyRootFilesystem:
            .boolean(
                "Whether the root file system cannot be written; /tmp can always.", defaultValue: true)
        case .suspend:
            .boolean(
                """
                Whether the function is switched off for now: no call is let through and no replica runs. What it was \
                stays as it is.
                """, defaultValue: false)
        case .domains:
            .set(
                """
                Domains of the function's own, such as `shop.example.com`: calls of that host are the function's, path and \
                all. The administrator says in the configuration who may have which, or that a DNS record is proof enough \
                (condition DomainsServed says which one); of several Functions that may, the oldest has it. Point the \
                domain at the gateway.
                """,
                of: .string(
                    "A domain in lower case.", pattern: Schema.subdomainPattern, minimum: 3,
                    maximum: Int64(DNSName.subdomainBytesMaximum)), maximum: 16)
        case .payment: FunctionPayment.schema
        case .labels: Self.metadataMapSchema("Labels", valuesMaximum: 63)
        case .annotations: Self.metadataMapSchema("Annotations", valuesMaximum: 4096)
        }
    }

    private static let imageSchema = Schema.string(
        """
        The image to run, such as `registry.example.com/alex/hello:1.0` or, better, with its digest (`…@sha256:…`). A tag is \
        looked up once, when it is new here, and pinned to its digest in status.image; change this field to roll out another \
        image.
        """,
        pattern: "^[A-Za-z0-9][A-Za-z0-9._:/@-]*$", minimum: 1, maximum: 512)

    private static let egressSchema = Schema.anything(
        """
        What the function may connect to: `Internet` (the default when absent: every public address, but no private, \
        link-local or otherwise special one, no address of the cluster, and no mail by port 25), `None`, or a list of \
        blocks of addresses such as ["198.51.100.0/24"]. Names are resolved in each case but `None`.
        """,
        [
            // The rules of a type bind only values of that type, which is how one field can be a word or a list.
            "pattern": "^(Internet|None)$", "maxItems": 64,
        ])

    private static func metadataMapSchema(_ kind: String, valuesMaximum: Int64) -> Schema {
        .map(
            """
            \(kind) for the function's pods. Only keys that the cluster's configuration lists are allowed, and never those \
            of Farebox, of Kubernetes, or that give a role; any other stalls the Function (reason Invalid).
            """,
            of: .string("The value; null is the empty text.", maximum: valuesMaximum, isNullable: true), maximum: 32)
    }
}

extension FunctionSource {
    static let schema = Schema.object(
        """
        What the image was built from. Set by the Repository that deploys the function; it informs people and changes \
        nothing in what runs.
        """, CodingKeys.self
    ) { key in
        switch key {
        case .repository: Schema.objectName("The Repository object in the same namespace.")
        case .commit: Schema.commit("The full commit.")
        case .handler: .string("The folder with the function's code, from the root of the repository.", maximum: 1024)
        case .runtime:
            .string(
                """
                What turned the folder into an image: `dockerfile` for a Dockerfile of its own, else the name of a runtime.
                """,
                pattern: "^[A-Za-z0-9][A-Za-z0-9._-]*$", minimum: 1, maximum: 63)
        }
    }
}

extension FunctionResources {
    static let schema = Schema.object(
        "What each replica asks for and may use at most; the cluster's defaults fill in what is absent.",
        CodingKeys.self
    ) { key in
        switch key {
        case .requests: FunctionResourceAmounts.schema("What the scheduler sets aside for each replica.")
        case .limits: FunctionResourceAmounts.schema("What a replica never exceeds.")
        }
    }
}

extension FunctionResourceAmounts {
    static func schema(_ description: String) -> Schema {
        .object(description, CodingKeys.self) { key in
            switch key {
            case .cpu: .quantity("Processors: 1 is one, `250m` a quarter of one.")
            case .memory: .quantity("Bytes of memory, such as `128Mi`.")
            }
        }
    }
}

extension FunctionScale {
    static let schema = Schema.object(
        """
        How far the number of replicas may go, and who sets it. `min` and `max` bound spec.replicas, whoever sets it: you, \
        `kubectl scale` or a HorizontalPodAutoscaler; with `targetConcurrency` it is Farebox, by load. With `idleAfter` \
        Farebox takes the last replica away when nobody calls, and the next call starts one.
        """, CodingKeys.self
    ) { key in
        switch key {
        case .min:
            .integer(
                """
                The least number of replicas. With 0, `kubectl scale --replicas=0` stops the function: the gateway then \
                answers 503, or starts it again with the next call if `idleAfter` is set.
                """,
                in: 0...1000, defaultValue: Int64(minDefault))
        case .max:
            .integer(
                """
                The greatest number of replicas; when absent there is no limit for you, and \(maxDefault) for what load adds.
                """,
                in: 1...1000)
        case .targetConcurrency:
            .integer(
                """
                Calls at once that one replica should have. Farebox then sets spec.replicas itself, from at least 1 up to \
                `max`, by the mean number of calls during a minute, and at once when they double.
                """,
                in: 1...10_000)
        case .idleAfter:
            .duration(
                """
                How long without a call until the function goes to zero, `10s` to `168h`; needs `min: 0`. The next call \
                starts a replica and waits for it. Without this nobody but you starts a function that has no replica.
                """)
        case .downAfter:
            .duration(
                """
                How long fewer replicas must have been enough before some are taken away, up to `1h`; `1m` when absent. Only \
                with `targetConcurrency`.
                """)
        case .waitingPage:
            .boolean(
                """
                Whether a browser that calls the sleeping function is shown a page that looks again by itself, instead of \
                waiting. Only with `idleAfter`.
                """)
        }
    }
}

extension FunctionHealth {
    static let schema = Schema.object(
        """
        How to see that a replica works. Without a path a replica counts as ready when its port accepts connections; with \
        one, when GET on that path answers 200 to 399, and it is restarted when that stops.
        """, CodingKeys.self
    ) { key in
        switch key {
        case .path: .string("The path to GET, such as `/_/health`.", pattern: "^/[!-~]*$", minimum: 1, maximum: 1024)
        case .readyPath:
            .string(
                """
                The path to GET to see whether a replica can take calls for now, such as `/ready`; `path` when absent. A \
                replica whose answer is no other than 200 to 399 gets no calls, and is not restarted for that.
                """,
                pattern: "^/[!-~]*$", minimum: 1, maximum: 1024)
        case .initialDelay: .duration("How long after its start a replica is asked first; at once when absent.")
        case .timeout: .duration("How long an answer may take, at least `1s`; `2s` when absent.")
        case .startTimeout:
            .duration(
                """
                How long a replica may take to start before it is restarted; when absent, `2m` with a path, and without \
                one it is not restarted.
                """)
        }
    }
}

extension FunctionPayment {
    static let schema = Schema.object(
        """
        What a call costs, and who gets the money. Income pays the platform's host for running the function first; while the \
        balance is positive it goes to the author. Where the cluster takes no payments, a Function that demands them stalls \
        (reason PaymentsNotConfigured), and none of its calls is let through.
        """, CodingKeys.self
    ) { key in
        switch key {
        case .required: .boolean("Whether a call that nobody paid for is answered 402.")
        case .price: FunctionPrice.schema
        case .bonusCalls:
            .integer(
                "Calls that go ahead of the money: they are let through before anybody paid, and the next payment pays them.",
                in: 0...bonusCallsMaximum)
        case .paymentPointer:
            .string(
                """
                The author's payment pointer, such as `$wallet.example.com/alex`; gets the money while the function's \
                balance is positive. Without it all income is the host's.
                """,
                pattern:
                    #"^(\$|https://)[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?(/[A-Za-z0-9._~/%-]*)?$"#,
                maximum: 512)
        }
    }
}

extension FunctionPrice {
    static let schema = Schema.object(
        "What calls cost. The asset must be that of the host's wallet.", CodingKeys.self,
        required: [.amount, .assetCode, .assetScale, .calls]
    ) { key in
        switch key {
        case .amount: .integer("The amount, in the asset's minor unit.", in: 1...Schema.integerMaximum)
        case .assetCode:
            .string(
                "The asset, such as `USD` or `XRP`.", pattern: assetCodePattern, minimum: 3, maximum: assetCodeMaximum)
        case .assetScale:
            .integer(
                "Decimal places of the minor unit: with 2, an amount of 150 is 1.50.", in: 0...Int64(assetScaleMaximum))
        case .calls: .integer("How many calls the amount buys.", in: 1...1_000_000_000)
        }
    }
}

extension DomainProof {
    static let schema = Schema.object(
        "A domain that was shown to be the Function's.", CodingKeys.self, required: [.domain, .since]
    ) { key in
        switch key {
        case .domain: .string("The domain.", maximum: Int64(DNSName.subdomainBytesMaximum))
        case .since: .time("When the record was first found.")
        case .misses:
            .integer(
                "How often in a row the record was not there since; the proof is lost when that goes on.", in: 0...100)
        }
    }
}

extension FunctionStatus {
    static let schema = Schema.object("What runs. Written by Farebox only.", CodingKeys.self) { key in
        switch key {
        case .observedGeneration: .observedGeneration
        case .url: .string("Where to call the function.", maximum: 2048)
        case .domains:
            .set(
                "The domains of the function's own that lead to it.",
                of: .string("A domain.", maximum: Int64(DNSName.subdomainBytesMaximum)), maximum: 16)
        case .domainProofs:
            .list(
                "The domains that it has shown by DNS records to be its own, where the cluster takes that for a proof.",
                of: DomainProof.schema, maximum: 16)
        case .image: .string("The image in use, pinned to its digest.", maximum: 1024)
        case .commit: .string("The commit the image was built from.", maximum: 64)
        case .runtimeClassName: .string("The sandbox in use.", maximum: 253)
        case .replicas: .integer("Replicas there are, old and new.", in: 0...Int64(Int32.max))
        case .availableReplicas: .integer("Replicas that take calls.", in: 0...Int64(Int32.max))
        case .selector: .string("The label selector of the function's pods.", maximum: 1024)
        case .balance:
            .string(
                "What was paid and not yet used, in the asset's minor unit; absent where the function has no price.",
                maximum: 64)
        case .remainingCalls:
            .integer(
                "Calls that the balance and the bonus still pay for, those that a gateway has on lease included.",
                in: 0...Schema.integerMaximum)
        case .conditions:
            .conditions(
                """
                Ready (the newest version runs at full number), Available (some replica takes calls), \
                NetworkPolicyApplied, Sandboxed, Funded (a call is left that was paid for, or a bonus; only with a price), \
                DomainsServed (all of spec.domains lead here; only with domains); Reconciling and Stalled only while true.
                """)
        }
    }
}
