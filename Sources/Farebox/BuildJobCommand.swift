import Builds
import Commands
import JSON
import KubernetesTypes
import Operator

/// `farebox build-job`.
enum BuildJobCommand {
    static let description = CommandDescription(
        "build-job", "prints the Job that would build an image",
        discussion: """
            Prints one line of JSON with the Job, or, with --job-uid, the Secret it waits
            for, as the operator makes them for the functions of a Repository. For building
            an image by hand with the same builder; hack/install does that.
            """,
        options: [
            .init("config", value: "FILE", "the configuration (default \(FareboxConfiguration.pathDefault))"),
            .init("image", value: "REFERENCE", "the name to push"),
            .init("context-digest", value: "HEX", "SHA-256 of the context tar"),
            .init("context-token", value: "TOKEN", "what opens the context"),
            .init("job-uid", value: "UID", "print the Secret of the Job with this uid instead"),
        ],
        examples: [
            "farebox build-job --config farebox.yaml --image R/x:1 --context-digest $digest"
        ])

    @Sendable static func run(_ options: Options) throws {
        var configuration = try ProcessSetting.configuration(options).repositories.buildConfiguration
        configuration.timeout = max(configuration.timeout, .seconds(600))
        let digest = try options.required("context-digest")
        let request = BuildJob.Request(
            repository: ObjectKey(namespace: FareboxConfiguration.systemNamespace, name: "by-hand"),
            repositoryUID: "by-hand", owner: "by-hand", function: "image", commit: String(digest.prefix(40)),
            inputsDigest: digest,
            contextDigest: digest, image: try ImageReference(parsing: options.required("image")))
        let build = BuildJob(request, configuration: configuration)
        if let uid = options["job-uid"] {
            try show(build.secret(contextToken: options["context-token"] ?? "none", jobUID: uid))
        } else {
            try show(build.job)
        }
    }

    private static func show<Resource: KubernetesResource>(_ object: Resource) throws {
        let type = Resource.descriptor
        var fields = try JSONWriter().value(of: object).objectValue ?? JSONObject()
        fields["apiVersion"] = .string(type.apiVersion)
        fields["kind"] = .string(type.kind)
        print(String(decoding: JSONWriter().write(.object(fields)), as: UTF8.self))
    }
}
