import HTTP
import KubernetesTypes

/// The requests to GitLab's API (v4).
///
/// Pure: what is to be sent, not the sending.
enum GitLabAPI {
    /// Longer descriptions are refused.
    static let descriptionMaximum = 255
    /// Longer target URLs are refused, so they are left out.
    static let targetURLMaximum = 255

    /// `POST /projects/<id>/statuses/<sha>`, with everything in the query.
    ///
    /// GitLab says `failed` and `canceled`; it has no word for an error that is not the author's.
    static func status(_ report: StatusReport, at place: StatusPlace, token: String) -> HTTPClientRequest {
        var fields = [
            ("context", report.context),
            ("description", BoundedText.line(report.description, maximum: descriptionMaximum)),
            ("state", state(report.state)),
        ]
        if let url = report.targetURL, url.utf8.count <= targetURLMaximum { fields.append(("target_url", url)) }
        let query = fields.map { $0.0 + "=" + PercentEncoding.formValue($0.1) }.joined(separator: "&")
        let project = PercentEncoding.encode(place.project)
        let commit = PercentEncoding.encode(place.commit)
        return HTTPClientRequest(
            .post, url: "\(place.apiURL)/projects/\(project)/statuses/\(commit)?\(query)",
            headers: HTTPHeaders([
                ("Accept", "application/json"), ("User-Agent", "farebox"), ("PRIVATE-TOKEN", token),
            ]),
            responseBytesMaximum: GitHostLimits.answerBytesMaximum)
    }

    /// Whether the answer says that the context is in the wanted state, or past it, already.
    ///
    /// GitLab walks a state machine and refuses a step from `pending` to `pending`.
    static func isToldAlready(_ response: HTTPClientResponse) -> Bool {
        response.status == .badRequest && GitHostAnswer.words(in: response.body).contains("Cannot transition")
    }

    private static func state(_ state: StatusState) -> String {
        switch state {
        case .pending: "pending"
        case .success, .skipped: "success"
        case .failure, .error: "failed"
        case .cancelled: "canceled"
        }
    }
}
