/// What a request names: two parts that are never joined into one text, so that `a` + `b-c` is not `a-b` + `c`.
///
/// Both parts are found by their bytes where they lie in the request, so that a look-up makes no text.
struct RouteName: Equatable, Sendable {
    /// The owner in lower case, or the function's object name.
    let first: [UInt8]
    /// The function's name inside its owner, or the namespace.
    let second: [UInt8]

    /// Makes a name of two texts.
    init(_ first: String, _ second: String) {
        self.first = Array(first.utf8)
        self.second = Array(second.utf8)
    }
}
