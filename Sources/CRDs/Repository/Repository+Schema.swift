extension Repository {
    /// The schema of the fields.
    static let schema = Schema.object(
        "A Git repository whose functions Farebox builds and runs.", RootKeys.self, required: [.spec]
    ) { key in
        switch key {
        case .metadata: .metadata(namePattern: Schema.subdomainPattern, nameMaximum: 63)
        case .spec: RepositorySpec.schema
        case .status: RepositoryStatus.schema
        }
    }

    /// The columns of `kubectl get repositories`.
    static let columns: [PrinterColumn] = [
        .ready,
        PrinterColumn("Branch", ".spec.branch", "The branch that is built."),
        PrinterColumn("Commit", ".status.deployedCommit", "The commit whose functions run."),
        PrinterColumn("Functions", type: "integer", ".status.functionCount", "How many functions the stack has."),
        .reason(isWide: false),
        .age,
        PrinterColumn("URL", ".spec.url", "Where the repository is.", isWide: true),
    ]

    private enum RootKeys: String, CodingKey, CaseIterable {
        case metadata, spec, status
    }
}

extension RepositorySpec {
    /// A URL of http, https or ssh, or `user@host:path`; only ssh has a user, and none has a password.
    private static let urlPattern =
        #"^(https?://[^\s/@?#]+/[^\s?#]+|ssh://([A-Za-z0-9_][A-Za-z0-9._-]*@)?[^\s/@?#]+/[^\s?#]+"#
        + #"|[A-Za-z0-9_][A-Za-z0-9._-]*@[^\s/@:?#]+:[^\s:?#][^\s?#]*)$"#

    static let schema = Schema.object(
        "Where the repository is, and what to make of it.", CodingKeys.self, required: [.url]
    ) { key in
        switch key {
        case .url:
            .string(
                """
                The clone URL, such as `https://github.com/alex/shop.git`, `ssh://git@git.example.com:2222/alex/shop.git` \
                or `git@github.com:alex/shop.git`. It holds no password: that comes from credentialsSecret.
                """,
                pattern: urlPattern, minimum: 1, maximum: 2048)
        case .provider:
            .choice(
                "The kind of Git host, which decides how its events look and where build statuses go.",
                of: GitProvider.self, defaultValue: .git)
        case .branch:
            .string(
                "The branch that is built; pushes to others change nothing.",
                pattern: branchPattern, minimum: 1, maximum: 255, defaultValue: branchDefault)
        case .branches:
            .list(
                """
                Further branches, each an environment of its own: a Repository named after this one and the suffix is made \
                for it, and goes when the branch leaves this list.
                """,
                of: RepositoryBranch.schema, keyedBy: "name", maximum: 20)
        case .nameSuffix:
            .string(
                """
                What is added to the names of the functions, after a '-': with `staging` the function `hello` is called at \
                /hello-staging. Two Repositories of one owner can so build two branches.
                """,
                pattern: Schema.labelPattern, minimum: 1, maximum: RepositoryLimits.nameSuffixMaximum)
        case .stackFile:
            .string(
                "The path of the stack file from the repository's root; stack.yml or stack.yaml when absent.",
                pattern: #"^[^/\s][^\\]*$"#, minimum: 1, maximum: 1024)
        case .credentialsSecret:
            .objectName(
                """
                The Secret in this namespace with the Git host's credentials: the key `token`, or `username` and \
                `password`, or `ssh-privatekey` with `known_hosts`. None for a public repository, and none where the \
                GitHub App is used (installationID).
                """)
        case .installationID:
            .integer(
                """
                The installation of the GitHub App that may read this repository. The administrator names the App in \
                the configuration's section gitHub.
                """,
                in: 1...Schema.integerMaximum)
        case .projectID:
            .integer(
                """
                The number of the project on GitLab, for commit statuses; found by its path when absent.
                """,
                in: 1...Schema.integerMaximum)
        case .interval:
            .duration(
                """
                How often the branch is looked at, for Git hosts that send no push events and for events that got lost; \
                at least `10s`. `0s` turns it off.
                """, defaultValue: intervalDefault)
        case .suspend:
            .boolean(
                "Whether nothing is built and deployed for now; what runs keeps running.", defaultValue: false)
        case .build: RepositoryBuild.schema
        case .payment: FunctionPayment.schema
        }
    }
}

extension RepositorySpec {
    /// What Git takes for a branch, as far as a pattern can tell.
    static let branchPattern = #"^[^\s~^:?*\[\\/.-][^\s~^:?*\[\\]*$"#
}

extension RepositoryBranch {
    static let schema = Schema.object(
        "A further branch.", CodingKeys.self, required: [.name, .nameSuffix]
    ) { key in
        switch key {
        case .name:
            .string("The branch.", pattern: RepositorySpec.branchPattern, minimum: 1, maximum: 255)
        case .nameSuffix:
            .string(
                "What is added to the names of its functions, after a '-'.", pattern: Schema.labelPattern, minimum: 1,
                maximum: RepositoryLimits.nameSuffixMaximum)
        }
    }
}

extension RepositoryBuild {
    static let schema = Schema.object("How images are built.", CodingKeys.self) { key in
        switch key {
        case .platforms:
            .list(
                """
                The platforms of the images, such as `linux/amd64`. Not supported yet: images are for the builder's own \
                platform, and setting this stalls the Repository (reason NotSupportedYet).
                """,
                of: .string("A platform.", pattern: "^[a-z0-9]+/[a-z0-9]+(/[a-z0-9]+)?$", maximum: 64), maximum: 8)
        case .args:
            .map(
                """
                Build arguments for every Dockerfile of the stack. They end up in the image's history: never pass a \
                password here.
                """,
                of: .string("The argument's value; null is the empty text.", maximum: 4096, isNullable: true),
                maximum: 64)
        case .timeout:
            .duration("How long one build may take, from `10s` to `6h`; the cluster's default when absent.")
        }
    }
}

extension RepositoryStatus {
    static let schema = Schema.object("What was made of it. Written by Farebox only.", CodingKeys.self) { key in
        switch key {
        case .observedGeneration: .observedGeneration
        case .observedCommit:
            .string("The commit last seen at the branch's head, or asked for by a push.", maximum: 64)
        case .deployedCommit: .string("The commit whose functions all run.", maximum: 64)
        case .functionCount: .integer("How many functions the stack has.", in: 0...100_000)
        case .functions:
            .list(
                "The functions of the newest commit.", of: RepositoryFunction.schema, keyedBy: "name", maximum: 1000)
        case .history:
            .list(
                "The last commits that were dealt with, newest first.", of: RepositoryRun.schema,
                maximum: Int64(historyMaximum))
        case .retiredImages:
            .list(
                "Images that nothing needs any more, until the registry has removed them.",
                of: .string("An image by digest.", maximum: 1024), maximum: Int64(retiredImagesMaximum))
        case .lastHandledRequest:
            .string("Which push was acted on last: the values of its annotations.", maximum: 1024)
        case .lastHandledReconcileAt:
            .string("The value of annotation farebox.dev/reconcile-requested-at last acted on.", maximum: 1024)
        case .reportedDigest:
            .string(
                "What the Git host was told: a short digest of each commit status, so that none is sent twice.",
                maximum: 16_384)
        case .conditions:
            .conditions(
                """
                Ready (the newest commit runs), SourceFetched, Built, Deployed, StatusReported; Reconciling and Stalled \
                only while true.
                """)
        }
    }
}

extension RepositoryFunction {
    static let schema = Schema.object("One function.", CodingKeys.self, required: [.name, .state]) { key in
        switch key {
        case .name: .string("The function's name in the stack file.", minimum: 1, maximum: 253)
        case .objectName: .string("The Function object.", maximum: 253)
        case .commit: .string("The commit.", maximum: 64)
        case .image: .string("The image, pinned to its digest once built.", maximum: 1024)
        case .imageTag: .string("The name with tag that the image is pushed under.", maximum: 1024)
        case .previousImages:
            .list(
                "The images before that, newest first: what one can go back to.",
                of: .string("An image by digest.", maximum: 1024), maximum: Int64(previousImagesMaximum))
        case .state: .choice("How far it is.", of: RepositoryFunctionState.self)
        case .reason: .string("Why, in one word.", maximum: 128)
        case .message:
            .string(
                "What it means and what to do; after a failed build the last lines of its log.",
                maximum: Int64(messageMaximum))
        case .logURL: .string("Where the build's log is.", maximum: 2048)
        }
    }
}

extension RepositoryRun {
    static let schema = Schema.object("One commit.", CodingKeys.self, required: [.commit, .result]) { key in
        switch key {
        case .commit: .string("The commit.", maximum: 64)
        case .result: .choice("What became of it.", of: RepositoryRunResult.self)
        case .reason: .string("Why, in one word.", maximum: 128)
        case .startedAt: .time("When work on it began.")
        case .finishedAt: .time("When it ended.")
        }
    }
}
