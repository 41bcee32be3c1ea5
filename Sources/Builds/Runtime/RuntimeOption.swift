/// What a function's author sets for its runtime, as the `options` of a `funko.yml`: a text or a list of texts.
public enum RuntimeOption: Sendable, Hashable {
    /// One text; numbers and truth values keep the spelling of the file.
    case text(String)
    /// Several texts, in the order of the file.
    case list([String])
}
