/// The limits of the webhook.
enum WebhookLimits {
    /// GitHub sends no event above 25 MB.
    static let bodyBytesMaximum = 25_000_000
    /// Bodies held at once by all requests: five of the largest, within the container's 256 MiB.
    static let heldBytesMaximum = 5 * bodyBytesMaximum
    /// Identifiers are 36 characters at GitHub; longer ones than this are not taken into the log or an annotation.
    static let deliveryBytesMaximum = 128
}
