import HTTP
import KubernetesClient
import KubernetesTypes

/// Why a request is not done, in the words that the client's user gets to see.
///
/// OpenFaaS answers plain text, and its command line shows it as it is.
struct AdminRefusal: Error, Equatable {
    let status: HTTPStatus
    let text: String
    /// How long the client had better stay away, in seconds.
    var retryAfter: Int?

    init(_ status: HTTPStatus, _ text: String, retryAfter: Int? = nil) {
        self.status = status
        self.text = text
        self.retryAfter = retryAfter
    }

    /// What an error of the API server means to the client.
    ///
    /// - Parameters:
    ///   - error: The error.
    ///   - what: What was asked for, such as `function hello in namespace farebox-functions`.
    ///   - showsMessage: Whether the API server's own words are shown: never of Secrets.
    init(_ error: KubernetesError, _ what: String, showsMessage: Bool = true) {
        let words = showsMessage ? ": \(error)" : ""
        if error.isNotFound {
            self.init(.notFound, "there is no \(what)")
        } else if error.isAlreadyExists {
            self.init(.conflict, "there is a \(what) already")
        } else if error.isConflict {
            self.init(.conflict, "the \(what) was changed by somebody else at the same time; try again")
        } else if error.isInvalid {
            self.init(.badRequest, "the \(what) is refused by the API server\(words)")
        } else if error.isForbidden {
            self.init(
                .serviceUnavailable,
                "farebox admin itself lacks a right for the \(what), or a quota is used up; see docs/openfaas-api.md\(words)"
            )
        } else if error.isTooManyRequests {
            self.init(.tooManyRequests, "the API server has too much to do; try again", retryAfter: 1)
        } else if let status = error.status, status.code == 400 {
            self.init(.badRequest, "the \(what) is refused by the API server\(words)")
        } else {
            self.init(.serviceUnavailable, "the API server cannot be asked now; try again", retryAfter: 1)
        }
    }

    /// What any error means to the client: a refusal itself, what the API server said, or that nobody waits any more.
    init(any error: any Error, _ what: String, showsMessage: Bool = true) {
        switch error {
        case let refusal as AdminRefusal: self = refusal
        case let error as KubernetesError: self.init(error, what, showsMessage: showsMessage)
        default: self.init(.serviceUnavailable, "the request was given up")
        }
    }

    var response: HTTPResponse {
        var response = HTTPResponse.text(status, text + "\n")
        if let retryAfter { response.headers.set("Retry-After", String(retryAfter)) }
        if status == .unauthorized { response.headers.set("WWW-Authenticate", "Basic realm=\"Restricted\"") }
        return response
    }
}
