import CRDs
import KubernetesTypes
import Testing
import Timing

@testable import CommandLine

@Suite("Texts for people")
struct TextTests {
    @Test(
        "Money is written in its unit, exactly",
        arguments: [
            ("150", 2, "1.50"), ("5", 9, "0.000000005"), ("-5", 1, "-0.5"), ("7", 0, "7"), ("", 2, ""), ("x1", 2, "x1"),
            ("123456789012345678901234567890", 6, "123456789012345678901234.567890"), ("1", 400, "1"), ("1", -3, "1"),
        ] as [(String, Int32, String)])
    func money(minor: String, scale: Int32, text: String) {
        #expect(PriceText.amount(minor, scale: scale) == text)
    }

    @Test("A price says for how many calls it is")
    func price() {
        let price = FunctionPrice(amount: 50, assetCode: "USD", assetScale: 2, calls: 100)

        #expect(PriceText.text(price) == "0.50 USD for 100 calls")
    }

    @Test("A function's balance is in its price's unit, and a bare number where there is no price")
    func balance() {
        let price = FunctionPrice(amount: 10, assetCode: "XRP", assetScale: 9, calls: 10)
        var function = FunctionCommandTests.function { $0.status?.balance = "475" }

        let bare = PriceText.balance(of: function)
        function.spec.payment = FunctionPayment(price: price)
        let told = PriceText.balance(of: function)

        #expect(bare == "475")
        #expect(told == "0.000000475 XRP")
        #expect(PriceText.balance(of: FunctionCommandTests.function()) == nil)
    }

    @Test("A repository that is suspended says so, where what runs is well", arguments: [true, false])
    func suspended(isSuspended: Bool) {
        var spec = RepositorySpec(url: "https://git.example.com/alice/shop")
        spec.suspend = isSuspended
        var status = RepositoryStatus()
        status.conditions = [Condition(type: "Ready", status: .true, reason: "Deployed", message: "")]

        let state = RepositoryWait.state(
            Repository(metadata: ObjectMeta(name: "shop", namespace: "team"), spec: spec, status: status))

        #expect(state.word == (isSuspended ? "Suspended" : "Ready"))
        #expect(state.mood == .good)
    }

    @Test(
        "An age has one unit, or two while it is young",
        arguments: [(5, "5s"), (119, "119s"), (150, "2m30s"), (900, "15m"), (7200, "2h"), (200_000, "2d"), (-9, "0s")])
    func age(seconds: Int, text: String) {
        let now = Timestamp(secondsSinceEpoch: 1_000_000)

        #expect(Age.text(Time(Timestamp(secondsSinceEpoch: 1_000_000 - Int64(seconds))), now: now) == text)
    }

    @Test(
        "A repository's name is made of its URL",
        arguments: [
            ("https://github.com/Alice/Shop.git", "alice-shop"),
            ("git@git.example.com:alice/web_shop", "alice-web-shop"),
            ("ssh://git@h:22/a/b/", "a-b"), ("", nil), (":::", nil),
        ] as [(String, String?)])
    func repositoryName(url: String, name: String?) {
        #expect(RepositoryName.of(url) == name)
    }

    @Test(
        "Nothing that is shown moves the cursor or names the window; colours stay",
        arguments: [
            ("plain\n", "plain\n"), ("\u{1B}[31mred\u{1B}[0m", "\u{1B}[31mred\u{1B}[0m"), ("\u{1B}[2J", "?[2J"),
            ("\u{1B}]0;title\u{07}", "?]0;title?"), ("\u{1B}[", "?["), ("\u{9B}2J", "?2J"), ("é\ttab", "é\ttab"),
            ("\u{1B}[" + String(repeating: "1;", count: 60) + "m", "?[" + String(repeating: "1;", count: 60) + "m"),
        ])
    func shown(text: String, expected: String) {
        #expect(String(decoding: TerminalText.shown(Array(text.utf8)), as: UTF8.self) == expected)
    }

    @Test("Text that turns around or has several lines becomes one plain line")
    func line() {
        #expect(TerminalText.line("a\u{202E}b\nc\u{2028}d") == "a b c d")
    }
}
