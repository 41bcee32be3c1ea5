import Commands
import JSON

/// The servers that somebody logged in to.
struct ServerAccounts: Sendable, Equatable {
    /// What was logged in to last.
    var current: ServerAddress?
    /// What is kept, by server.
    var entries: [ServerAddress: ServerAccount] = [:]

    /// Nobody logged in to anything.
    init() {}

    /// Reads a file's bytes.
    ///
    /// - Throws: `UsageError` that says what is wrong, and never what stands there.
    init(_ bytes: [UInt8]) throws(UsageError) {
        guard let value = try? JSONReader().parse(bytes), let servers = value["servers"]?.objectValue else {
            throw UsageError("it is no list of servers")
        }
        for (url, entry) in servers {
            let address = try ServerAddress(url)
            guard let account = try ServerAccount(entry) else {
                throw UsageError("the server \(address.url) has neither a token nor a name and a password")
            }
            entries[address] = account
        }
        if let url = value["current"]?.stringValue { current = try ServerAddress(url) }
        if let address = current, entries[address] == nil { current = nil }
    }

    /// The file's bytes.
    var bytes: [UInt8] {
        var servers = JSONObject()
        for (address, account) in entries { servers[address.url] = account.json }
        var value: JSONValue = ["servers": .object(servers)]
        if let current { value["current"] = .string(current.url) }
        return JSONWriter(style: .pretty).write(value) + [UInt8(ascii: "\n")]
    }

    /// Adds a server, or changes what is known of it, and makes it the current one.
    mutating func logIn(_ address: ServerAddress, _ account: ServerAccount) {
        entries[address] = account
        current = address
    }

    /// Forgets a server.
    ///
    /// - Returns: Whether it was known.
    mutating func logOut(_ address: ServerAddress) -> Bool {
        if current == address { current = nil }
        return entries.removeValue(forKey: address) != nil
    }
}
