import Glibc

/// A system call on a socket that failed, with the kernel's reason.
public struct SocketError: Error, Equatable, CustomStringConvertible {
    /// The call that failed, such as `bind`.
    public let call: String
    /// The `errno` it left.
    public let code: Int32

    /// Takes the present `errno` unless a code is given.
    init(call: String, code: Int32 = errno) {
        self.call = call
        self.code = code
    }

    /// The call and the kernel's text, as in `bind: Address already in use`.
    public var description: String {
        "\(call): \(String(cString: strerror(code)))"
    }
}
