import Glibc

/// The one executable of the product.
///
/// Each process is a subcommand.
@main
struct Farebox {
    static func main() async {
        var arguments = CommandLine.arguments.dropFirst()
        do {
            switch arguments.popFirst() {
            case "gateway": try await GatewayCommand.run(Array(arguments))
            default: print("farebox gateway --routes FILE")
            }
        } catch {
            let message = Array("farebox: \(error)\n".utf8)
            write(2, message, message.count)
            exit(1)
        }
    }
}
