import Glibc

/// The command line of `farebox gateway` without a cluster: routes from a file, and where to listen.
///
/// `--routes FILE [--address A] [--port N] [--internal-address A] [--internal-port N] [--root-domain D] [--loops N]`
public struct GatewayOptions: Sendable {
    /// The file with the routes; see ``StaticRoutes``.
    public private(set) var routesFile = ""
    /// The defaults, changed by what the command line says.
    public private(set) var configuration: GatewayConfiguration

    /// What is wrong with the command line, in words for whoever typed it.
    public struct Invalid: Error, CustomStringConvertible {
        /// The whole message.
        public let description: String
    }

    /// Reads the words after `farebox gateway`.
    ///
    /// - Parameter base: What holds where the command line says nothing.
    /// - Throws: `Invalid` for an unknown option, a missing value or a number out of range.
    public init(_ arguments: [String], base: GatewayConfiguration = GatewayConfiguration()) throws {
        configuration = base
        var rest = arguments[...]
        while let option = rest.popFirst() {
            guard let value = rest.popFirst() else {
                throw Invalid(description: "\(option) needs a value.")
            }
            switch option {
            case "--routes": routesFile = value
            case "--address": configuration.address = value
            case "--internal-address": configuration.internalAddress = value
            case "--root-domain": configuration.rootDomain = value
            case "--port": configuration.port = try Self.number(value, option)
            case "--internal-port": configuration.internalPort = try Self.number(value, option)
            case "--loops": configuration.loops = Int(try Self.number(value, option) as UInt8)
            default: throw Invalid(description: "\(option) is not an option of 'farebox gateway'.")
            }
        }
    }

    private static func number<Number: FixedWidthInteger>(_ text: String, _ option: String) throws -> Number {
        guard let number = Number(text) else {
            throw Invalid(description: "\(option) needs a number up to \(Number.max), not '\(text)'.")
        }
        return number
    }
}
