extension String {
    /// Returns the longest beginning of at most `maximum` UTF-8 bytes that ends between characters.
    ///
    /// A cut text ends in an ellipsis, which is counted.
    func prefix(bytes maximum: Int) -> String {
        guard utf8.count > maximum else {
            return self
        }
        let ellipsis = "…"
        let room = max(0, maximum - ellipsis.utf8.count)
        var used = 0
        var end = startIndex
        while end < endIndex {
            let next = index(after: end)
            used += self[end..<next].utf8.count
            guard used <= room else {
                break
            }
            end = next
        }
        return String(self[..<end]) + (maximum >= ellipsis.utf8.count ? ellipsis : "")
    }
}
