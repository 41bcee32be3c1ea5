public import Commands

/// The commands that a person types, as against the processes of an installation.
public enum PersonCommands {
    /// All of them, in the order in which the help lists them.
    ///
    /// - Parameter console: Where they speak.
    public static func all(_ console: Console) -> [Subcommand] {
        folder(console) + function(console) + platform(console) + program(console)
    }

    /// From a folder to a function.
    private static func folder(_ console: Console) -> [Subcommand] {
        [
            Subcommand(NewCommand.description) { try await NewCommand.run($0, console) },
            Subcommand(UpCommand.description) { try await UpCommand.run($0, console) },
            Subcommand(BuildCommand.description) { try await BuildCommand.run($0, console) },
            Subcommand(ExportCommand.description) { try await ExportCommand.run($0, console) },
        ]
    }

    /// Functions that are deployed.
    private static func function(_ console: Console) -> [Subcommand] {
        [
            Subcommand(ListCommand.description) { try await ListCommand.run($0, console) },
            Subcommand(StatusCommand.description) { try await StatusCommand.run($0, console) },
            Subcommand(InvokeCommand.description) { try await InvokeCommand.run($0, console) },
            Subcommand(LogsCommand.description) { try await LogsCommand.run($0, console) },
            Subcommand(ScaleCommand.description) { try await ScaleCommand.run($0, console) },
            Subcommand(RollbackCommand.description) { try await RollbackCommand.run($0, console) },
            Subcommand(RemoveCommand.description) { try await RemoveCommand.run($0, console) },
        ]
    }

    /// Secrets, repositories, payments.
    private static func platform(_ console: Console) -> [Subcommand] {
        [
            Subcommand(SecretCommands.set) { try await SecretCommands.runSet($0, console) },
            Subcommand(SecretCommands.list) { try await SecretCommands.runList($0, console) },
            Subcommand(SecretCommands.remove) { try await SecretCommands.runRemove($0, console) },
            Subcommand(RepoCommands.add) { try await RepoCommands.runAdd($0, console) },
            Subcommand(RepoCommands.list) { try await RepoCommands.runList($0, console) },
            Subcommand(RepoCommands.sync) { try await RepoCommands.runSync($0, console) },
            Subcommand(RegistryAuthCommand.description) { try await RegistryAuthCommand.run($0, console) },
            Subcommand(PayCommand.description) { try await PayCommand.run($0, console) },
        ]
    }

    /// This program and the cluster behind it.
    private static func program(_ console: Console) -> [Subcommand] {
        [
            Subcommand(DoctorCommand.description) { try await DoctorCommand.run($0, console) },
            Subcommand(LoginCommand.description) { try await LoginCommand.run($0, console) },
            Subcommand(LogoutCommand.description) { try await LogoutCommand.run($0, console) },
        ]
    }
}
