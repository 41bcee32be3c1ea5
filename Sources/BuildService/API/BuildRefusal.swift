import HTTP

/// Why a request is not built, with what the client is told.
struct BuildRefusal: Error, Hashable, CustomStringConvertible {
    let status: HTTPStatus
    /// What is wrong and what to do; never a secret.
    let message: String

    init(_ status: HTTPStatus, _ message: String) {
        self.status = status
        self.message = message
    }

    var description: String { message }

    /// Other requests have so much on the disk that there is no room for this one.
    static let noRoom = BuildRefusal(
        .tooManyRequests, "the builder receives too much at once; send it again")
}
