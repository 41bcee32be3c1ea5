/// A check of a container by the kubelet: exactly one way of checking is set.
///
/// Source: Kubernetes API, `core/v1` Probe.
public struct Probe: Codable, Hashable, Sendable {
    /// Succeeds on an answer from 200 to 399.
    public var httpGet: HTTPGetAction?
    /// Succeeds when the port accepts a connection.
    public var tcpSocket: TCPSocketAction?
    /// Succeeds when the command exits with 0.
    public var exec: ExecAction?
    /// Seconds from the container's start to the first check.
    public var initialDelaySeconds: Int32?
    /// Seconds between checks; the server's default is 10.
    public var periodSeconds: Int32?
    /// Seconds until a check counts as failed; the server's default is 1.
    public var timeoutSeconds: Int32?
    /// Failures in a row that count; the server's default is 3.
    public var failureThreshold: Int32?
    /// Successes in a row that count after a failure; the server's default is 1.
    public var successThreshold: Int32?

    /// Makes a check by HTTP.
    public init(httpGet: HTTPGetAction) {
        self.httpGet = httpGet
    }

    /// Makes a check by a TCP connection.
    public init(tcpSocket: TCPSocketAction) {
        self.tcpSocket = tcpSocket
    }

    /// Makes a check by a command inside the container.
    public init(exec: ExecAction) {
        self.exec = exec
    }
}

/// A GET to a container.
public struct HTTPGetAction: Codable, Hashable, Sendable {
    /// The path, beginning with a slash.
    public var path: String
    /// The port's number or name.
    public var port: IntOrString
    /// `HTTP` or `HTTPS`.
    public var scheme: String?

    /// Makes a GET.
    public init(path: String, port: IntOrString, scheme: String? = nil) {
        self.path = path
        self.port = port
        self.scheme = scheme
    }
}

/// A TCP connection to a container.
public struct TCPSocketAction: Codable, Hashable, Sendable {
    /// The port's number or name.
    public var port: IntOrString

    /// Makes a connection.
    public init(port: IntOrString) {
        self.port = port
    }
}

/// A command inside a container.
public struct ExecAction: Codable, Hashable, Sendable {
    /// The program and its arguments; no shell is involved.
    public var command: [String]

    /// Makes a command.
    public init(command: [String]) {
        self.command = command
    }
}
