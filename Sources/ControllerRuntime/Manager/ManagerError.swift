/// Why a manager ended otherwise than by being asked to.
public enum ManagerError: Error, CustomStringConvertible {
    /// The lease could not be renewed in time; another process may lead.
    case leadershipLost

    /// Something that should run until the end ended with an error.
    case failed(String, any Error)

    /// These did not stop in time.
    case graceExceeded([String])

    /// The configuration cannot work.
    case configuration(String)

    /// One line for a person.
    public var description: String {
        switch self {
        case .leadershipLost: "the lease was lost"
        case .failed(let name, let error): "\(name) failed: \(error)"
        case .graceExceeded(let names): "not stopped in time: \(names.joined(separator: ", "))"
        case .configuration(let reason): reason
        }
    }
}
