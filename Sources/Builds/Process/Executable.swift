import Glibc

/// Programs of this machine.
public enum Executable {
    /// Finds a program as a shell does.
    ///
    /// - Parameters:
    ///   - name: Its name, without a slash.
    ///   - search: Folders with colons between; relative ones are passed over.
    /// - Returns: Its path; nil when none of the folders has it.
    public static func find(_ name: String, search: String) -> String? {
        search.split(separator: ":").filter { $0.hasPrefix("/") }.map { $0 + "/" + name }.first { path in
            var status = stat()
            return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
        }
    }
}
