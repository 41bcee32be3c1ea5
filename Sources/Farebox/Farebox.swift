/// The one executable of the product.
///
/// Each process is a subcommand.
@main
struct Farebox {
    static func main() {
        print("farebox")
    }
}
