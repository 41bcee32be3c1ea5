/// The field `Accept` of a request: which kinds of content it admits (RFC 9110, 12.5.1).
struct AcceptField {
    private struct Range {
        var type: Substring
        var subtype: Substring
        var isRefused: Bool

        /// 0 for `*/*`, 1 for `application/*`, 2 for a kind of its own: the closest decides.
        var precision: Int { type == "*" ? 0 : subtype == "*" ? 1 : 2 }
    }

    private let ranges: [Range]
    private let isAbsent: Bool

    /// Reads all values of the field; what is malformed in them is passed over.
    init(_ values: [String]) {
        isAbsent = values.allSatisfy(\.isEmpty)
        ranges = values.flatMap { $0.lowercased().split(separator: ",") }.compactMap { element in
            let parts = element.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
            guard let kind = parts.first else { return nil }
            let names = kind.split(separator: "/", omittingEmptySubsequences: false)
            guard names.count == 2, !names[0].isEmpty, !names[1].isEmpty else { return nil }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }?.dropFirst(2)
            let isRefused = weight.map { !$0.isEmpty && $0.allSatisfy { $0 == "0" || $0 == "." } } ?? false
            return Range(type: names[0], subtype: names[1], isRefused: isRefused)
        }
    }

    /// Whether content of a kind may be sent; a request without the field admits all.
    ///
    /// - Parameters:
    ///   - type: Such as `application`, in lower case.
    ///   - subtype: Such as `spsp4+json`, in lower case.
    func admits(_ type: String, _ subtype: String) -> Bool {
        guard !isAbsent else { return true }
        let matching = ranges.filter {
            ($0.type == "*" || $0.type == type) && ($0.subtype == "*" || $0.subtype == subtype)
        }
        return matching.max { $0.precision < $1.precision }.map { !$0.isRefused } ?? false
    }
}
