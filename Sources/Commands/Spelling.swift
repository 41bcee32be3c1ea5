/// Finds what somebody who mistyped probably meant.
enum Spelling {
    /// More letters than that are another word.
    private static let distanceMaximum = 2
    /// Longer words are no slip of a finger; it also bounds the work.
    private static let charactersMaximum = 40

    /// The nearest of several words; nil when none is near.
    static func nearest(to typed: String, in words: [String]) -> String? {
        guard typed.count > 1, typed.count <= charactersMaximum else { return nil }
        // In a short word two wrong letters are half of it.
        let limit = min(distanceMaximum, typed.count / 2)
        let near = words.map { ($0, distance(Array(typed), Array($0))) }.filter { $0.1 <= limit }
        return near.min { $0.1 < $1.1 }?.0
    }

    /// How many letters have to be changed, added or left out (Levenshtein).
    private static func distance(_ first: [Character], _ second: [Character]) -> Int {
        var row = Array(0...second.count)
        for (index, letter) in first.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (column, other) in second.enumerated() {
                let next = min(row[column] + 1, row[column + 1] + 1, diagonal + (letter == other ? 0 : 1))
                diagonal = row[column + 1]
                row[column + 1] = next
            }
        }
        return row[second.count]
    }
}
