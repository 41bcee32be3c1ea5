import CCurl

/// A transfer handle of libcurl with the lists and buffers it points into.
///
/// Used on the thread of its loop only.
struct EasyHandle: ~Copyable {
    let pointer: UnsafeMutableRawPointer
    private let errorText: UnsafeMutablePointer<CChar>
    private var lists: [UnsafeMutablePointer<curl_slist>] = []

    init?() {
        guard let pointer = curl_easy_init() else { return nil }
        self.pointer = pointer
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        _ = farebox_curl_set_pointer(pointer, CURLOPT_ERRORBUFFER, errorText)
    }

    deinit {
        curl_easy_cleanup(pointer)  // May still write into the buffer and read the lists, so those go after it.
        errorText.deallocate()
        for list in lists { curl_slist_free_all(list) }
    }

    func set(_ option: CURLoption, _ value: Int) throws(OptionRefused) {
        try check(farebox_curl_set_long(pointer, option, value), option)
    }

    func set(_ option: CURLoption, _ value: Bool) throws(OptionRefused) {
        try set(option, value ? 1 : 0)
    }

    /// Sets a text, which libcurl copies.
    func set(_ option: CURLoption, _ value: String) throws(OptionRefused) {
        try check(farebox_curl_set_string(pointer, option, value), option)
    }

    /// Sets a size or a position.
    func set(_ option: CURLoption, offset: Int) throws(OptionRefused) {
        try check(farebox_curl_set_offset(pointer, option, curl_off_t(offset)), option)
    }

    /// Sets a time limit, in whole milliseconds, at least one.
    func set(_ option: CURLoption, _ limit: Duration) throws(OptionRefused) {
        try set(option, max(1, limit.milliseconds))
    }

    /// Sets bytes, which libcurl copies.
    func set(_ option: CURLoption, blob: [UInt8]) throws(OptionRefused) {
        let code = blob.withUnsafeBytes { farebox_curl_set_blob(pointer, option, $0.baseAddress, $0.count) }
        try check(code, option)
    }

    /// Sets a list of texts; the handle keeps it as long as it lives.
    mutating func set(_ option: CURLoption, list texts: [String]) throws(OptionRefused) {
        var list: UnsafeMutablePointer<curl_slist>?
        for text in texts {
            guard let longer = curl_slist_append(list, text) else {
                if let list { curl_slist_free_all(list) }
                throw OptionRefused(option: option, code: CURLE_OUT_OF_MEMORY)
            }
            list = longer
        }
        guard let list else { return }
        lists.append(list)
        try check(farebox_curl_set_list(pointer, option, list), option)
    }

    /// The number behind a `CURLINFO_…` of type long; 0 when there is none.
    func number(_ info: CURLINFO) -> Int {
        var value = 0
        return farebox_curl_get_long(pointer, info, &value) == CURLE_OK ? value : 0
    }

    /// What libcurl says about a failure.
    func reason(_ code: CURLcode) -> String {
        let text = String(cString: errorText)
        return text.isEmpty ? String(cString: curl_easy_strerror(code)) : text
    }

    private func check(_ code: CURLcode, _ option: CURLoption) throws(OptionRefused) {
        guard code == CURLE_OK else { throw OptionRefused(option: option, code: code) }
    }
}

/// libcurl does not take the value of an option.
struct OptionRefused: Error {
    let option: CURLoption
    let code: CURLcode

    /// The failure in terms of a request.
    var error: HTTPClientError {
        .invalidRequest(reason: "\(String(cString: curl_easy_strerror(code))) (option \(option.rawValue))")
    }
}

extension Duration {
    /// Whole milliseconds, rounded up, within 0 and what fits a 32-bit number (24 days).
    var milliseconds: Int {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        guard seconds < 2_000_000 else { return 2_000_000_000 }
        return Int(seconds) * 1000 + Int((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
