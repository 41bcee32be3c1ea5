/// The SSH host keys of the large Git hosts, so that nobody has to fetch them over the network they guard.
///
/// Their fingerprints are on the hosts' pages: "GitHub's SSH key fingerprints" and GitLab's "SSH host keys fingerprints".
public enum WellKnownHosts {
    /// Lines of a `known_hosts` file.
    public static let text = keys.map { "\($0.host) \($0.type) \($0.key)\n" }.joined()

    static let keys: [(host: String, type: String, key: String)] = [
        (
            "github.com", "ssh-ed25519",
            "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
        ),
        (
            "github.com", "ecdsa-sha2-nistp256",
            "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5"
                + "wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg="
        ),
        (
            "gitlab.com", "ssh-ed25519",
            "AAAAC3NzaC1lZDI1NTE5AAAAIAfuCHKVTjquxvt6CM6tdG4SLp1Btn/nOeHHE5UOzRdf"
        ),
        (
            "gitlab.com", "ecdsa-sha2-nistp256",
            "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBFSMqzJeV9rUzU4kWitGjeR4PWSa29SPqJ1fVkhtj3Hw9xjLVXVYrU9Q"
                + "lYWrOLXBpQ6KWjbjTDTdDkoohFzgbEY="
        ),
    ]
}
