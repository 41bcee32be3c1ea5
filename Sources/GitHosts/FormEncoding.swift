import KubernetesTypes

extension PercentEncoding {
    /// A text as a value of a query, with `+` for spaces as forms have it (WHATWG URL, application/x-www-form-urlencoded).
    static func formValue(_ text: String) -> String {
        encode(text).split(separator: "%20", omittingEmptySubsequences: false).joined(separator: "+")
    }
}
