import HTTP

/// What a browser shows while a function starts, where the Function asks for it: it looks again by itself.
enum WaitingPage {
    /// When the browser looks again.
    private static let seconds = "2"

    /// The page, as an answer that says that it is none of the function.
    static var response: HTTPResponse {
        HTTPResponse(
            .serviceUnavailable,
            headers: HTTPHeaders([
                ("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store"),
                ("Retry-After", seconds),
            ]), body: .bytes(Array(text.utf8)))
    }

    private static let text = """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="\(seconds)">
        <meta name="viewport" content="width=device-width"><title>Starting</title></head>
        <body style="font-family: sans-serif; text-align: center; margin-top: 20vh">
        <p>This function is starting. The page will be here in a moment.</p></body></html>

        """
}
