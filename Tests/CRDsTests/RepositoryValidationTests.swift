import CRDs
import JSON
import KubernetesTypes
import Testing

@Suite("Validation of Repositories and Receipts")
struct RepositoryValidationTests {
    @Test(
        "A field that cannot work is named",
        arguments: [
            (#"{"url": "https://github.com/alex/shop.git"}"#, nil),
            (#"{"url": "http://10.0.0.1:3000/alex/shop", "branch": "feature/log-in", "interval": "30s"}"#, nil),
            (#"{"url": "git@github.com:alex/shop.git"}"#, nil),
            (#"{"url": "ssh://git@git.example.com:2222/alex/shop.git"}"#, nil),
            (#"{"url": "ssh://git.example.com/alex/shop.git"}"#, nil),
            (#"{"url": "ssh://git:password@github.com/alex/shop"}"#, "spec.url"),
            (#"{"url": "-oProxyCommand=x@github.com:alex/shop"}"#, "spec.url"),
            (#"{"url": "git@github.com"}"#, "spec.url"),
            (#"{"url": "git@github.com:"}"#, "spec.url"),
            (#"{"url": "file:///etc"}"#, "spec.url"),
            (#"{"url": "https://user:password@github.com/alex/shop"}"#, "spec.url"),
            (#"{"url": "https://github.com"}"#, "spec.url"),
            (#"{"url": "https:///shop"}"#, "spec.url"),
            (#"{"url": "https://github.com/alex/shop?x"}"#, "spec.url"),
            (#"{"url": "https://h/r", "branch": "a..b"}"#, "spec.branch"),
            (#"{"url": "https://h/r", "branch": "-upload-pack=x"}"#, "spec.branch"),
            (#"{"url": "https://h/r", "branch": "a.lock"}"#, "spec.branch"),
            (#"{"url": "https://h/r", "branch": "x/.hidden"}"#, "spec.branch"),
            (#"{"url": "https://h/r", "stackFile": "../stack.yml"}"#, "spec.stackFile"),
            (#"{"url": "https://h/r", "stackFile": "functions/stack.yml"}"#, nil),
            (#"{"url": "https://h/r", "interval": "1s"}"#, "spec.interval"),
            (#"{"url": "https://h/r", "interval": "0s"}"#, nil),
            (#"{"url": "https://h/r", "build": {"timeout": "1s"}}"#, "spec.build.timeout"),
            (#"{"url": "https://h/r", "build": {"platforms": ["linux/arm64"]}}"#, "spec.build.platforms"),
            (#"{"url": "https://h/r", "installationID": 5}"#, nil),
            (#"{"url": "https://h/r", "provider": "GitLab", "projectID": 5}"#, nil),
            (#"{"url": "https://h/r", "payment": {"required": true}}"#, "spec.payment.price"),
            (#"{"url": "https://h/r", "payment": {"paymentPointer": "$w.example/alice"}}"#, nil),
            (
                #"{"url": "https://h/r", "payment": {"paymentPointer": "http://w.example"}}"#,
                "spec.payment.paymentPointer"
            ),
        ] as [(String, String?)])
    func violations(spec: String, path: String?) throws {
        let spec = try JSONReader().decode(RepositorySpec.self, from: Array(spec.utf8))
        let repository = Repository(metadata: ObjectMeta(name: "shop", namespace: "default"), spec: spec)

        let violations = repository.validate()

        #expect(violations.map(\.path) == [path].compactMap { $0 })
    }

    @Test("A password in a URL is not repeated in the message")
    func passwordStaysSecret() {
        let spec = RepositorySpec(url: "https://user:hunter2@github.com/alex/shop")

        let violations = Repository(metadata: ObjectMeta(name: "shop"), spec: spec).validate()

        #expect(!violations.isEmpty)
        #expect(!violations.summary().contains("hunter2"))
    }
}
