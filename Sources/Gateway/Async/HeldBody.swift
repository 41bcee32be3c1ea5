import AsyncCalls
import HTTP

/// A body that arrives, and its part of what all bodies may take of the memory.
struct HeldBody {
    /// Why a body is not there.
    enum Failure: Error, Equatable {
        /// It is larger than the limit.
        case tooLarge
        /// Others take all the memory that there is for bodies.
        case tooMuch
        /// The client left.
        case cut
    }

    private let budget: ByteBudget
    private var taken = 0

    init(_ budget: ByteBudget) {
        self.budget = budget
    }

    /// Reads a body to its end.
    mutating func collect(_ request: HTTPRequest, maximum: Int) async -> Result<[UInt8], Failure> {
        if let announced = request.headers["Content-Length"].flatMap(Int.init) {
            guard announced <= maximum else { return .failure(.tooLarge) }
            guard take(announced) else { return .failure(.tooMuch) }
        }
        var bytes: [UInt8] = []
        do {
            while let piece = try await request.body.next() {
                guard bytes.count + piece.count <= maximum else { return .failure(.tooLarge) }
                bytes += piece
                guard take(bytes.count - taken) else { return .failure(.tooMuch) }
            }
        } catch HTTPBodyError.tooLarge {
            return .failure(.tooLarge)
        } catch {
            return .failure(.cut)
        }
        return .success(bytes)
    }

    /// Gives back what was taken.
    mutating func giveBack() {
        budget.give(taken)
        taken = 0
    }

    private mutating func take(_ more: Int) -> Bool {
        guard more > 0 else { return true }
        guard budget.take(more) else { return false }
        taken += more
        return true
    }
}
