/// How much a template may be, do and make.
struct JinjaLimits: Sendable {
    /// Bytes of the template.
    var templateBytesMaximum = 256 << 10
    /// Bytes of what it renders to, and of each text on the way there.
    var outputBytesMaximum = 1 << 20
    /// Nodes and operands that are worked on, loops counted each time round; long texts count for each kilobyte.
    var stepsMaximum = 100_000
    /// Tags inside tags, and operands inside operands.
    var depthMaximum = 32
}
