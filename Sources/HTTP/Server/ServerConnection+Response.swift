extension ServerConnection {
    /// Tells a client that waits for it to send its content (RFC 9110 §10.1.1).
    func sendContinueIfAwaited() {
        guard awaitsContinue, isOpen, phase == .content else { return }
        awaitsContinue = false
        let text: [UInt8] = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
        _ = sendResponse(text.span)
    }

    /// Says whether the connection stays, where that is not what the version implies (RFC 9112 §9.3).
    func appendConnectionField() {
        if !keepsConnection {
            server.responseScratch.append("Connection: close\r\n")
        } else if minorVersion == 0 {
            server.responseScratch.append("Connection: keep-alive\r\n")
        }
    }
}
