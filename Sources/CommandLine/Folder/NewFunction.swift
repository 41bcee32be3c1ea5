import Builds
import CRDs
import Commands

/// What `farebox new` writes, as a value: nothing is written here.
struct NewFunction: Sendable, Hashable {
    /// Files by their paths, from where the person is.
    let files: [RuntimeFile]
    /// The stack file that is there and gets a function more, with its new text.
    let changed: Changed?
    /// The folder that must not be there yet.
    let folder: String
    /// What the runtime's author says to whoever starts.
    let welcome: String?

    /// A file that is there and changes.
    struct Changed: Sendable, Hashable {
        /// Its path, from where the person is.
        let path: String
        /// Its whole new text.
        let text: String
    }

    /// A Dockerfile that works as it stands, for who begins with one.
    private static let dockerfile = """
        FROM debian:bookworm-slim
        RUN apt-get update \\
            && apt-get install --yes --no-install-recommends python3 \\
            && rm -rf /var/lib/apt/lists/*
        WORKDIR /srv
        COPY . .
        USER 12000:12000
        EXPOSE 8080
        # Whatever it is: it serves HTTP on port 8080.
        CMD ["python3", "-m", "http.server", "8080"]

        """

    /// Decides what to write.
    ///
    /// - Parameters:
    ///   - folder: Where the function goes, from where the person is; its last part is the function's name.
    ///   - runtime: The runtime; nil for a Dockerfile of its own.
    ///   - stack: The stack file beside the person, with its text, when there is one: then the function is added to it.
    /// - Throws: `CommandFailure`.
    init(folder: String, runtime: Runtime?, stack: (path: String, text: String)?) throws(CommandFailure) {
        guard let path = Self.clean(folder), let name = path.split(separator: "/").last.map(String.init) else {
            throw CommandFailure(
                .usage, "'\(folder.prefix(80))' is no path for a new folder; it begins here, without '..'")
        }
        guard DNSName.isLabel(name) else {
            throw CommandFailure(
                .usage, "'\(name.prefix(80))' is no name for a function",
                advice: "use up to 63 lower-case letters, digits and '-', with a letter or digit at both ends")
        }
        let sample: [RuntimeFile]
        do {
            sample =
                try runtime?.sample(for: name) ?? [RuntimeFile(path: "Dockerfile", bytes: Array(Self.dockerfile.utf8))]
        } catch {
            throw CommandFailure(.failed, error.message)
        }
        welcome = runtime?.manifest?.welcomeMessage
        self.folder = path
        func placed(_ prefix: String) -> [RuntimeFile] {
            sample.map { RuntimeFile(path: prefix + "/" + $0.path, bytes: $0.bytes, isExecutable: $0.isExecutable) }
        }
        // FaaSO's samples bring the funko.yml that makes the folder a function.
        if runtime?.kind == .faaso {
            files = placed(path)
            changed = nil
            return
        }
        let lang = runtime?.name ?? RuntimeCatalog.dockerfile
        if let stack {
            files = placed(path)
            let addition = StackText.Addition(name: name, runtime: lang, handler: "./" + path)
            changed = Changed(path: stack.path, text: try StackText.adding(addition, to: stack.text, path: stack.path))
            return
        }
        let text = StackText.new(StackText.Addition(name: name, runtime: lang, handler: "./" + name))
        files = [RuntimeFile(path: path + "/stack.yml", bytes: Array(text.utf8))] + placed(path + "/" + name)
        changed = nil
    }

    private static func clean(_ folder: String) -> String? {
        guard !folder.isEmpty, !folder.contains("\0"), folder.utf8.count <= 1024 else { return nil }
        let parts = folder.split(separator: "/").filter { $0 != "." }
        guard !parts.isEmpty, !parts.contains("..") else { return nil }
        return (folder.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
    }
}
