import AsyncCalls
import FoundationEssentials
import YAML

/// The section `async` of a configuration, in a file of its own.
enum AsyncSetting {
    /// Reads the file.
    ///
    /// - Throws: An error that names the file, and line and column of what is wrong in it.
    static func read(_ path: String) throws -> AsyncConfiguration {
        guard let data = try? Data(contentsOf: URL(filePath: path)) else {
            throw ProcessError("\(path) cannot be read")
        }
        let configuration: AsyncConfiguration
        do {
            configuration = try YAMLReader(unknownKeys: .refuse).decode(AsyncConfiguration.self, from: Array(data))
        } catch {
            throw ProcessError("\(path): \(error)")
        }
        let problems = configuration.validate()
        guard problems.isEmpty else { throw ProcessError("\(path): " + problems.joined(separator: "; ")) }
        return configuration
    }
}
