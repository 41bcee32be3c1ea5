extension Kubeconfig {
    /// Returns this configuration completed by one that comes later in the list of files.
    ///
    /// The first file that names a cluster, user or context wins with its whole entry, and so does the first that
    /// sets `current-context` (client-go, `tools/clientcmd/loader.go`).
    func completed(by later: Kubeconfig) -> Kubeconfig {
        var merged = self
        if merged.currentContext?.isEmpty ?? true { merged.currentContext = later.currentContext }
        merged.clusters = Self.merge(clusters, later.clusters, \.name)
        merged.users = Self.merge(users, later.users, \.name)
        merged.contexts = Self.merge(contexts, later.contexts, \.name)
        return merged
    }

    private static func merge<Entry>(
        _ first: [Entry]?, _ second: [Entry]?, _ name: (Entry) -> String
    ) -> [Entry] {
        var merged = first ?? []
        var names = Set(merged.map(name))
        for entry in second ?? [] where names.insert(name(entry)).inserted {
            merged.append(entry)
        }
        return merged
    }

    /// Returns the configuration with relative paths resolved against the folder of the file that holds them.
    ///
    /// A command without a slash is looked up in `PATH` instead and stays as it is.
    func resolvingPaths(against folder: String) -> Kubeconfig {
        let resolve = { (path: String?) -> String? in
            guard let path, !path.isEmpty, !path.hasPrefix("/") else { return path }
            return folder + "/" + path
        }
        var resolved = self
        resolved.clusters = clusters?.map { entry in
            guard var cluster = entry.cluster else { return entry }
            cluster.certificateAuthority = resolve(cluster.certificateAuthority)
            return NamedCluster(name: entry.name, cluster: cluster)
        }
        resolved.users = users?.map { entry in
            guard var user = entry.user else { return entry }
            user.clientCertificate = resolve(user.clientCertificate)
            user.clientKey = resolve(user.clientKey)
            user.tokenFile = resolve(user.tokenFile)
            if let command = user.exec?.command, command.contains("/") { user.exec?.command = resolve(command) }
            return NamedUser(name: entry.name, user: user)
        }
        return resolved
    }
}
