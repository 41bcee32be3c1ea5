import CNghttp2

/// Everything that touches nghttp2's callbacks and structures.
enum HTTP2Library {
    /// Answers to pings and settings that wait to be sent; a client that has more of them waiting takes none.
    private static let answersMaximum = 200

    /// Made once and never freed; read by all loops.
    ///
    /// SAFETY: nghttp2 copies the callbacks and reads the options when a session is made; nothing changes them afterwards.
    nonisolated(unsafe) private static let callbacks: OpaquePointer? = makeCallbacks()
    nonisolated(unsafe) private static let options: OpaquePointer? = makeOptions()

    /// Makes the server's side of a connection.
    ///
    /// - Returns: `nil` when memory is short.
    static func session(for connection: HTTP2Connection) -> OpaquePointer? {
        guard let callbacks, let options else { return nil }
        var session: OpaquePointer?
        // The connection deletes the session, so it is there as long as that calls back.
        let user = Unmanaged.passUnretained(connection).toOpaque()
        guard nghttp2_session_server_new2(&session, callbacks, user, options) == 0 else { return nil }
        return session
    }

    private static func makeOptions() -> OpaquePointer? {
        var options: OpaquePointer?
        guard nghttp2_option_new(&options) == 0 else { return nil }
        // Windows open again when content has been taken, not when it has come.
        nghttp2_option_set_no_auto_window_update(options, 1)
        nghttp2_option_set_no_closed_streams(options, 1)
        nghttp2_option_set_max_outbound_ack(options, answersMaximum)
        return options
    }

    private static func makeCallbacks() -> OpaquePointer? {
        var callbacks: OpaquePointer?
        guard nghttp2_session_callbacks_new(&callbacks) == 0 else { return nil }
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, user in
            guard let frame, let connection = HTTP2Library.connection(user) else { return 0 }
            if frame.pointee.hd.type == UInt8(NGHTTP2_HEADERS.rawValue),
                frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST
            {
                connection.begin(frame.pointee.hd.stream_id)
            }
            return 0
        }
        nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _, frame, name, nameCount, value, valueCount, _, user in
            guard let frame, let connection = HTTP2Library.connection(user),
                let stream = connection.stream(frame.pointee.hd.stream_id), stream.builder != nil
            else { return 0 }
            // Trailers come when the builder is gone: they are not passed on.
            stream.builder?.add(
                UnsafeBufferPointer(start: name, count: nameCount).span,
                UnsafeBufferPointer(start: value, count: valueCount).span,
                limits: connection.server.configuration.headLimits)
            return 0
        }
        nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks) { _, _, _, _, _, _, _, _ in
            // Not passed over: the stream is reset.
            Int32(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, user in
            guard let frame, let connection = HTTP2Library.connection(user) else { return 0 }
            HTTP2Library.received(frame.pointee, connection)
            return 0
        }
        nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks) { _, _, _, user in
            HTTP2Library.connection(user)?.spend(1)
            return 0
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, id, bytes, count, user in
            guard let connection = HTTP2Library.connection(user) else { return 0 }
            guard let stream = connection.stream(id) else {
                connection.consume(count, of: id)
                return 0
            }
            stream.content(UnsafeBufferPointer(start: bytes, count: count).span)
            return 0
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, id, code, user in
            HTTP2Library.connection(user)?.forget(id, isReset: code != UInt32(NGHTTP2_NO_ERROR.rawValue))
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, user in
            guard let frame, let connection = HTTP2Library.connection(user) else { return 0 }
            let header = frame.pointee.hd
            let isMessage =
                header.type == UInt8(NGHTTP2_DATA.rawValue) || header.type == UInt8(NGHTTP2_HEADERS.rawValue)
            if isMessage, header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0 {
                connection.stream(header.stream_id)?.responseSent()
            }
            return 0
        }
        return callbacks
    }

    private static func connection(_ user: UnsafeMutableRawPointer?) -> HTTP2Connection? {
        user.map { Unmanaged<HTTP2Connection>.fromOpaque($0).takeUnretainedValue() }
    }

    private static func received(_ frame: nghttp2_frame, _ connection: HTTP2Connection) {
        let header = frame.hd
        let endsStream = header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        switch UInt32(header.type) {
        case NGHTTP2_HEADERS.rawValue:
            guard let stream = connection.stream(header.stream_id) else { return }
            if frame.headers.cat == NGHTTP2_HCAT_REQUEST {
                stream.begin(hasContent: !endsStream)
            } else if endsStream {
                stream.requestEnded()
            }
        case NGHTTP2_DATA.rawValue:
            if header.length == 0, !endsStream {
                connection.spend(1)
            }
            if endsStream {
                connection.stream(header.stream_id)?.requestEnded()
            }
        default:
            // Settings, pings, priorities, window updates, resets.
            connection.spend(1)
        }
    }

    // MARK: Responses

    /// Calls `body` with one field.
    static func withField(_ name: StaticString, _ value: StaticString, _ body: (UnsafePointer<nghttp2_nv>) -> Void) {
        var field = nghttp2_nv(
            name: UnsafeMutablePointer(mutating: name.utf8Start),
            value: UnsafeMutablePointer(mutating: value.utf8Start),
            namelen: name.utf8CodeUnitCount, valuelen: value.utf8CodeUnitCount,
            flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue))
        body(&field)
    }

    /// Hands a response over; nghttp2 copies its fields and puts their names in lower case.
    static func submit(_ head: ResponseFields, to session: OpaquePointer, stream id: Int32, hasContent: Bool) -> Bool {
        let statusName: StaticString = ":status"
        var bytes = head.bytes
        return bytes.withUnsafeMutableBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return false }
            func field(_ name: UnsafeMutablePointer<UInt8>, _ nameCount: Int, _ value: ByteRange) -> nghttp2_nv {
                nghttp2_nv(
                    name: name, value: base + value.start, namelen: nameCount, valuelen: value.count,
                    flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue))
            }
            var fields = [
                field(
                    UnsafeMutablePointer(mutating: statusName.utf8Start), statusName.utf8CodeUnitCount, head.status)
            ]
            fields.reserveCapacity(head.fields.count + 1)
            for record in head.fields {
                fields.append(field(base + record.name.start, record.name.count, record.value))
            }
            guard hasContent else {
                return nghttp2_submit_response(session, id, fields, fields.count, nil) == 0
            }
            var provider = nghttp2_data_provider(source: nghttp2_data_source(), read_callback: readContent)
            return nghttp2_submit_response(session, id, fields, fields.count, &provider) == 0
        }
    }

    /// Fills a DATA frame.
    private static let readContent: nghttp2_data_source_read_callback = { _, id, room, count, flags, _, user in
        guard let stream = HTTP2Library.connection(user)?.stream(id) else {
            return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
        }
        guard let (moved, isLast) = stream.take(into: UnsafeMutableBufferPointer(start: room, count: count)) else {
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        if isLast {
            flags?.pointee |= UInt32(NGHTTP2_DATA_FLAG_EOF.rawValue)
        }
        return moved
    }
}
