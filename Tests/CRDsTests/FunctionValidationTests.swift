import CRDs
import JSON
import KubernetesTypes
import Testing

@Suite("Validation of Functions")
struct FunctionValidationTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let spec: String
        let path: String?
        var kind = Violation.Kind.invalid
        var testDescription: String { "\(path ?? "nothing") in \(spec)" }
    }

    static let digest = "sha256:" + String(repeating: "0a", count: 32)

    static let cases: [Case] = [
        Case(spec: #"{"image": "reg.example/alex/hello:1.0"}"#, path: nil),
        Case(spec: #"{"image": "reg.example:5000/alex/hello:V1@\#(digest)"}"#, path: nil),
        Case(spec: #"{"image": ""}"#, path: "spec.image"),
        Case(spec: #"{"image": "reg/hello@sha256:12"}"#, path: "spec.image"),
        Case(spec: #"{"image": "reg/hello@md5:\#(String(repeating: "0", count: 64))"}"#, path: "spec.image"),
        Case(spec: #"{"image": "reg/hello@\#(digest)@\#(digest)"}"#, path: "spec.image"),
        Case(spec: #"{"image": "reg/Alex/hello"}"#, path: "spec.image"),
        Case(spec: #"{"image": "x", "environment": {"GOOD_1": "", "a.b-c": ""}}"#, path: nil),
        Case(spec: #"{"image": "x", "environment": {"1BAD": ""}}"#, path: "spec.environment.1BAD"),
        Case(spec: #"{"image": "x", "environment": {"A=B": ""}}"#, path: "spec.environment.A=B"),
        Case(
            spec: #"{"image": "x", "environment": {"A": "\#(String(repeating: "x", count: 300_000))"}}"#,
            path: "spec.environment"),
        Case(spec: #"{"image": "x", "secrets": ["good.name", "Bad"]}"#, path: "spec.secrets[1]"),
        Case(spec: #"{"image": "x", "resources": {"limits": {"cpu": 1, "memory": "64Mi"}}}"#, path: nil),
        Case(
            spec: #"{"image": "x", "resources": {"limits": {"cpu": "100m"}, "requests": {"cpu": "0.2"}}}"#,
            path: "spec.resources.requests.cpu"),
        Case(spec: #"{"image": "x", "resources": {"limits": {"memory": 0}}}"#, path: "spec.resources.limits.memory"),
        Case(
            spec: #"{"image": "x", "resources": {"requests": {"memory": "-1"}}}"#,
            path: "spec.resources.requests.memory"),
        Case(spec: #"{"image": "x", "scale": {"min": 2, "max": 2}}"#, path: nil),
        Case(spec: #"{"image": "x", "scale": {"min": 3, "max": 2}}"#, path: "spec.scale.max"),
        Case(spec: #"{"image": "x", "egress": "Internet"}"#, path: nil),
        Case(spec: #"{"image": "x", "egress": "None"}"#, path: nil),
        Case(spec: #"{"image": "x", "egress": ["198.51.100.0/24", "2001:4860::/32"]}"#, path: nil),
        Case(spec: #"{"image": "x", "egress": 5}"#, path: "spec.egress"),
        Case(spec: #"{"image": "x", "egress": "Some"}"#, path: "spec.egress"),
        Case(spec: #"{"image": "x", "egress": {"cidrs": []}}"#, path: "spec.egress"),
        Case(spec: #"{"image": "x", "egress": ["8.8.8.0/24", 5]}"#, path: "spec.egress"),
        Case(spec: #"{"image": "x", "egress": []}"#, path: "spec.egress"),
        Case(spec: #"{"image": "x", "egress": ["8.8.8.0/24", "8.8.8.8"]}"#, path: "spec.egress[1]"),
        Case(spec: #"{"image": "x", "egress": ["8.8.8.8/24"]}"#, path: "spec.egress[0]"),
        Case(spec: #"{"image": "x", "egress": ["0/0"]}"#, path: "spec.egress[0]"),
        Case(spec: #"{"image": "x", "timeout": "1h"}"#, path: nil),
        Case(spec: #"{"image": "x", "timeout": "999999999h"}"#, path: "spec.timeout"),
        Case(spec: #"{"image": "x", "timeout": "10ms"}"#, path: "spec.timeout"),
        Case(spec: #"{"image": "x", "health": {"timeout": "2m"}}"#, path: "spec.health.timeout"),
        Case(spec: #"{"image": "x", "health": {"startTimeout": "soon"}}"#, path: "spec.health.startTimeout"),
        Case(
            spec:
                #"{"image": "x", "async": {"concurrency": 1, "attempts": 100, "retryMinimum": "1s", "retryMaximum": "24h"}}"#,
            path: nil),
        Case(spec: #"{"image": "x", "async": {"concurrency": 0}}"#, path: "spec.async.concurrency"),
        Case(spec: #"{"image": "x", "async": {"attempts": 101}}"#, path: "spec.async.attempts"),
        Case(spec: #"{"image": "x", "async": {"retryMinimum": "10ms"}}"#, path: "spec.async.retryMinimum"),
        Case(spec: #"{"image": "x", "async": {"retryMaximum": "25h"}}"#, path: "spec.async.retryMaximum"),
        Case(
            spec: #"{"image": "x", "async": {"retryMinimum": "2m", "retryMaximum": "1m"}}"#,
            path: "spec.async.retryMaximum"),
        Case(spec: #"{"image": "x", "async": {"retryStatuses": [503, 200]}}"#, path: "spec.async.retryStatuses[1]"),
        Case(spec: #"{"image": "x", "labels": {"team": "blue"}}"#, path: nil),
        Case(spec: #"{"image": "x", "labels": {"team": "not a value"}}"#, path: "spec.labels.team"),
        Case(spec: #"{"image": "x", "labels": {"role": "openfaas-system"}}"#, path: "spec.labels.role"),
        Case(spec: #"{"image": "x", "labels": {"farebox.dev/owner": "bob"}}"#, path: "spec.labels.farebox.dev/owner"),
        Case(
            spec: #"{"image": "x", "labels": {"app.kubernetes.io/component": "gateway"}}"#,
            path: "spec.labels.app.kubernetes.io/component"),
        Case(spec: #"{"image": "x", "labels": {"a b": "c"}}"#, path: "spec.labels.a b"),
        Case(
            spec: #"{"image": "x", "annotations": {"x.farebox.dev/y": ""}}"#, path: "spec.annotations.x.farebox.dev/y"),
        Case(spec: #"{"image": "x", "source": {"runtime": "dockerfile"}}"#, path: nil),
        Case(spec: #"{"image": "x", "source": {"runtime": "python3-http"}}"#, path: nil),
        Case(spec: #"{"image": "x", "scale": {"targetConcurrency": 5, "downAfter": "0s"}}"#, path: nil),
        Case(spec: #"{"image": "x", "scale": {"targetConcurrency": 5, "min": 21}}"#, path: "spec.scale.max"),
        Case(spec: #"{"image": "x", "scale": {"targetConcurrency": 5, "min": 21, "max": 30}}"#, path: nil),
        Case(
            spec: #"{"image": "x", "scale": {"targetConcurrency": 5, "downAfter": "2h"}}"#, path: "spec.scale.downAfter"
        ),
        Case(spec: #"{"image": "x", "scale": {"downAfter": "1m"}}"#, path: "spec.scale.downAfter"),
        Case(spec: #"{"image": "x", "scale": {"min": 0, "idleAfter": "5m", "waitingPage": true}}"#, path: nil),
        Case(spec: #"{"image": "x", "scale": {"idleAfter": "5m"}}"#, path: "spec.scale.idleAfter"),
        Case(spec: #"{"image": "x", "scale": {"min": 0, "idleAfter": "1s"}}"#, path: "spec.scale.idleAfter"),
        Case(spec: #"{"image": "x", "scale": {"min": 0, "idleAfter": "soon"}}"#, path: "spec.scale.idleAfter"),
        Case(spec: #"{"image": "x", "scale": {"min": 0, "waitingPage": true}}"#, path: "spec.scale.waitingPage"),
        Case(spec: #"{"image": "x", "payment": {"required": false}}"#, path: nil),
        Case(spec: #"{"image": "x", "payment": {"paymentPointer": "$a.example/b"}}"#, path: nil),
        Case(spec: #"{"image": "x", "payment": {"required": true}}"#, path: "spec.payment.price"),
        Case(spec: payment(#""bonusCalls": 50"#, price: ""), path: "spec.payment.bonusCalls"),
        Case(spec: payment(#""required": true, "bonusCalls": 50, "paymentPointer": "$a.example/b""#), path: nil),
        Case(spec: payment(#""bonusCalls": -1"#), path: "spec.payment.bonusCalls"),
        Case(spec: payment(#""bonusCalls": 1000000001"#), path: "spec.payment.bonusCalls"),
        Case(spec: payment(#""paymentPointer": "$a.example:8443/b""#), path: "spec.payment.paymentPointer"),
        Case(spec: payment(#""paymentPointer": "$127.0.0.1/b""#), path: "spec.payment.paymentPointer"),
        Case(spec: price(amount: "0"), path: "spec.payment.price.amount"),
        Case(spec: price(calls: "0"), path: "spec.payment.price.calls"),
        Case(spec: price(code: "xrp"), path: "spec.payment.price.assetCode"),
        Case(spec: price(code: "XR"), path: "spec.payment.price.assetCode"),
        Case(spec: price(code: "1XRP"), path: "spec.payment.price.assetCode"),
        Case(spec: price(scale: "19"), path: "spec.payment.price.assetScale"),
        Case(spec: price(scale: "-1"), path: "spec.payment.price.assetScale"),
    ]

    private static func price(
        amount: String = "10", code: String = "XRP", scale: String = "9", calls: String = "1000"
    ) -> String {
        payment(
            #""required": true"#,
            price: """
                "price": {"amount": \(amount), "assetCode": "\(code)", "assetScale": \(scale), "calls": \(calls)}
                """)
    }

    private static func payment(
        _ fields: String,
        price: String = #""price": {"amount": 10, "assetCode": "XRP", "assetScale": 9, "calls": 1000}"#
    ) -> String {
        let members = [fields, price].filter { !$0.isEmpty }.joined(separator: ", ")
        return #"{"image": "x", "payment": {\#(members)}}"#
    }

    @Test("A pointer with a port is taken where the cluster allows that")
    func pointerPorts() throws {
        let spec = try JSONReader().decode(
            FunctionSpec.self, from: Array(Self.payment(#""paymentPointer": "$10.0.0.1:8443/b""#).utf8))
        let function = Function(metadata: ObjectMeta(name: "hello", namespace: "default"), spec: spec)

        let violations = function.validate(allowsPointerPorts: true)

        #expect(violations.isEmpty)
    }

    @Test("A field that cannot work is named, with what to do", arguments: cases)
    func violations(test: Case) throws {
        let spec = try JSONReader().decode(FunctionSpec.self, from: Array(test.spec.utf8))
        let function = Function(metadata: ObjectMeta(name: "hello", namespace: "default"), spec: spec)

        let violations = function.validate()

        #expect(violations.map(\.path) == [test.path].compactMap { $0 })
        #expect(violations.kind == (test.path == nil ? nil : test.kind))
    }

    @Test("Only the first violations are told, and how many more there are")
    func summary() {
        let violations = (1...7).map { Violation(path: "f\($0)", message: "bad") }

        #expect(violations.summary(maximum: 2) == "f1: bad; f2: bad; and 5 more")
    }

    @Test(
        "Replicas stay between the least and the greatest number",
        arguments: [
            (nil, nil, nil, 1), (5, nil, nil, 5), (0, nil, nil, 1), (0, 0, nil, 0), (1, 3, nil, 3), (9, 1, 4, 4),
        ] as [(Int32?, Int32?, Int32?, Int32)])
    func replicas(replicas: Int32?, min: Int32?, max: Int32?, expected: Int32) {
        var spec = FunctionSpec(image: "x")
        spec.replicas = replicas
        spec.scale = FunctionScale(min: min, max: max)

        let function = Function(metadata: ObjectMeta(name: "hello"), spec: spec)

        #expect(function.desiredReplicas == expected)
    }
}
