import Commands
import Cryptography
import HTTP
import JSON
import KubernetesTypes
import Timing

extension Server {
    /// A person waits, and one function is cheap to ask for.
    private static let interval = Duration.seconds(1)

    /// Lists functions.
    ///
    /// - Parameter isEverywhere: In all namespaces of functions.
    /// - Throws: `CommandFailure`.
    func functions(isEverywhere: Bool = false) async throws -> [RemoteFunction] {
        guard isEverywhere else { return try await functions(query: []) }
        let object = "namespaces at \(address.url)"
        let names = try parsed(try await send(.get, "/system/namespaces", about: object), object).arrayValue ?? []
        var all: [RemoteFunction] = []
        for name in names.compactMap(\.stringValue) { all += try await functions(query: [("namespace", name)]) }
        return all
    }

    private func functions(query: [(String, String)]) async throws -> [RemoteFunction] {
        let object = "functions at \(address.url)"
        let bytes = try await send(.get, "/system/functions", query: query, about: object)
        return (try parsed(bytes, object).arrayValue ?? []).compactMap { RemoteFunction($0) }
            .sorted { ($0.namespace, $0.name) < ($1.namespace, $1.name) }
    }

    /// Reads a function.
    ///
    /// - Throws: `CommandFailure`: not found where there is none.
    func function(_ name: String) async throws -> RemoteFunction {
        let object = title("function", name)
        let bytes = try await send(.get, "/system/function/" + PercentEncoding.encode(name), about: object)
        guard let function = RemoteFunction(try parsed(bytes, object)) else { throw strange(object) }
        return function
    }

    /// Makes a function, or changes it.
    ///
    /// - Returns: What the server says of fields that nothing acts on, line by line.
    /// - Throws: `CommandFailure`.
    func deploy(_ deployment: ServerDeployment, image: String) async throws -> [String] {
        let body = deployment.body(image: image)
        let object = title("function", deployment.name)
        let said: [UInt8]
        do {
            said = try await send(.put, "/system/functions", body: body, about: object)
        } catch let failure as CommandFailure where failure.code == .notFound {
            said = try await send(.post, "/system/functions", body: body, about: object)
        }
        // OpenFaaS' own gateway answers with a JSON object or with nothing.
        let text = String(decoding: said.prefix(16 << 10), as: UTF8.self)
        guard !text.hasPrefix("{") else { return [] }
        return text.split(whereSeparator: \.isNewline).map { TerminalText.line(String($0)) }
    }

    /// Waits until a function works in the version it has now.
    ///
    /// - Throws: `CommandFailure`: what stalls it, as soon as the server says so, or that the time is over.
    func untilReady(_ name: String, limit: Duration, _ progress: Progress) async throws -> RemoteFunction {
        let deadline = ContinuousClock.now + limit
        while true {
            let found = try await function(name)
            switch found.verdict {
            case .ready: return found
            case .failed(let failure): throw failure
            case .waiting(let why): progress.begin("function \(name): \(TerminalText.line(why))")
            }
            guard ContinuousClock.now < deadline else {
                throw CommandFailure(
                    .timedOut, "\(title("function", name)): not ready within \(limit.goStyle)",
                    advice: "see what it says: farebox logs \(name)")
            }
            // The REST API has no watch.
            try await Task.sleep(for: Self.interval)
        }
    }

    /// Sets a function's number of replicas.
    ///
    /// - Throws: `CommandFailure`.
    func scale(_ name: String, to replicas: Int32) async throws {
        _ = try await send(
            .post, "/system/scale-function/" + PercentEncoding.encode(name),
            body: ["serviceName": .string(name), "replicas": .integer(Int64(replicas))], about: title("function", name))
    }

    /// Removes a function.
    ///
    /// - Throws: `CommandFailure`.
    func remove(_ name: String) async throws {
        _ = try await send(
            .delete, "/system/functions", body: ["functionName": .string(name)], about: title("function", name))
    }

    /// Looks at a function until it is as it should be.
    ///
    /// - Parameters:
    ///   - name: The function.
    ///   - what: What it should be, for messages: `not ready`.
    ///   - limit: How long.
    ///   - isThere: Says whether it is; nil stands for a function that is not there.
    /// - Throws: `CommandFailure`.
    func wait(
        for name: String, _ what: String, limit: Duration, _ progress: Progress,
        until isThere: (RemoteFunction?) -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + limit
        while true {
            var found: RemoteFunction?
            do {
                found = try await function(name)
            } catch let failure as CommandFailure where failure.code == .notFound {
                found = nil
            }
            if isThere(found) { return }
            if let found { progress.begin("function \(name): \(found.available) of \(found.replicas) replicas") }
            guard ContinuousClock.now < deadline else {
                throw CommandFailure(.timedOut, "\(title("function", name)): \(what) within \(limit.goStyle)")
            }
            // The REST API has no watch.
            try await Task.sleep(for: Self.interval)
        }
    }

    // MARK: - Secrets

    /// The names of the Secrets for functions.
    ///
    /// - Throws: `CommandFailure`.
    func secrets() async throws -> [JSONValue] {
        let object = "secrets at \(address.url)"
        return try parsed(try await send(.get, "/system/secrets", about: object), object).arrayValue ?? []
    }

    /// Makes a Secret, or changes its value.
    ///
    /// - Returns: Whether it was there.
    /// - Throws: `CommandFailure`.
    func setSecret(_ name: String, _ value: [UInt8]) async throws -> Bool {
        let body: JSONValue = ["name": .string(name), "rawValue": .string(Base64.encode(value))]
        do {
            _ = try await send(.put, "/system/secrets", body: body, about: title("secret", name))
            return true
        } catch let failure as CommandFailure where failure.code == .notFound {
            _ = try await send(.post, "/system/secrets", body: body, about: title("secret", name))
            return false
        }
    }

    /// Removes a Secret.
    ///
    /// - Throws: `CommandFailure`.
    func removeSecret(_ name: String) async throws {
        _ = try await send(.delete, "/system/secrets", body: ["name": .string(name)], about: title("secret", name))
    }

    // MARK: - Answers

    private func parsed(_ bytes: [UInt8], _ object: String) throws(CommandFailure) -> JSONValue {
        guard let value = try? JSONReader().parse(bytes) else { throw strange(object) }
        return value
    }

    private func strange(_ object: String) -> CommandFailure {
        CommandFailure(
            "\(object): the answer is none of OpenFaaS' REST API", advice: "check the address: \(address.url)")
    }
}
