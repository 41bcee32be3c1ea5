/// Finds the end of a head in bytes that arrive little by little, looking at each byte once.
struct HeadScanner {
    /// What is known after looking at all bytes so far.
    enum Outcome: Equatable {
        case incomplete
        /// The head is the first so many bytes, the empty line included.
        case complete(Int)
    }

    /// Bytes already looked at.
    private var scanned = 0
    /// Where the line that is being read starts.
    private var lineStart = 0
    private var lines = 0

    /// Looks at the bytes that are new since the last call; `bytes` starts with the message each time.
    ///
    /// - Throws: At the first line that ends with a bare LF, and as soon as a limit is passed.
    mutating func scan(_ bytes: Span<UInt8>, limits: HeadLimits) throws(MessageError) -> Outcome {
        while let lineFeed = bytes.firstIndex(of: 0x0A, from: scanned) {
            guard lineFeed > lineStart, bytes[lineFeed - 1] == 0x0D else { throw .lineFeedWithoutReturn }
            if lines == 0, lineFeed - 1 > limits.requestLineBytesMaximum {
                throw .requestLineTooLong
            }
            guard lineFeed < limits.headBytesMaximum else { throw .headTooLarge }
            let isEmptyLine = lineFeed - lineStart == 1
            scanned = lineFeed + 1
            lineStart = scanned
            lines += 1
            if isEmptyLine {
                return .complete(scanned)
            }
        }
        scanned = bytes.count
        if lines == 0, scanned > limits.requestLineBytesMaximum + 1 {
            throw .requestLineTooLong
        }
        guard scanned < limits.headBytesMaximum else { throw .headTooLarge }
        return .incomplete
    }
}
