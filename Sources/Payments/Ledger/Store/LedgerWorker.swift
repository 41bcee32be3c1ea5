import Glibc
import Storage
import Threads

/// The points around a commit where a test may kill the process.
package enum LedgerFaultPoint: String, Sendable {
    case beforeCommit = "before-commit"
    case afterCommit = "after-commit"
}

/// The thread that owns a store: it takes everything that waits, does it in one transaction, and answers after the commit.
///
/// So one flush of the disk, which is what a durable write costs, is shared by all who wait for it.
final class LedgerWorker: Sendable {
    typealias Reply = CheckedContinuation<Result<[LedgerOutcome], LedgerError>, Never>

    /// Something to be done.
    enum Job {
        /// Commands for the book; those of many jobs share a transaction.
        case commands([LedgerCommand], Reply)
        /// Anything else, by itself; it begins and ends its own transaction and answers by itself.
        case task((any LedgerStore) -> Void)
    }

    /// Commands in one transaction: more would make the first of them wait for long.
    static let transactionCommandsMaximum = 8192

    private let mailbox: Mailbox<Job>
    private let onFault: (@Sendable (LedgerFaultPoint) -> Void)?

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - waitingMaximum: Commands that may wait.
    ///   - onFault: Called around each commit; for tests.
    ///   - makeStore: Makes the store, on the thread; it is closed there when the worker ends.
    /// - Throws: When the system has no thread left.
    init(
        waitingMaximum: Int, onFault: (@Sendable (LedgerFaultPoint) -> Void)?,
        makeStore: @escaping @Sendable () -> any LedgerStore
    ) throws(LedgerError) {
        let mailbox = Mailbox<Job>(weightMaximum: waitingMaximum)
        self.mailbox = mailbox
        self.onFault = onFault
        let code = DetachedThread.start {
            let store = makeStore()
            while let jobs = mailbox.takeAll() { Self.run(jobs, store, onFault) }
            store.close()
        }
        guard code == 0 else { throw .unavailable("no thread can be started (error \(code))") }
    }

    deinit {
        mailbox.close()
    }

    /// Takes no more work; what waits is still done.
    func close() {
        mailbox.close()
    }

    /// Has commands carried out in one transaction, together with what else waits.
    ///
    /// - Returns: As many outcomes.
    /// - Throws: `.busy` or `.unavailable`.
    func apply(_ commands: [LedgerCommand]) async throws(LedgerError) -> [LedgerOutcome] {
        let weight = max(1, commands.count)
        let result = await withCheckedContinuation { (reply: Reply) in
            switch mailbox.put(.commands(commands, reply), weight: weight) {
            case .accepted: break
            case .full: reply.resume(returning: .failure(.busy(retryAfter: .seconds(1))))
            case .closed: reply.resume(returning: .failure(.unavailable("it was closed")))
            }
        }
        return try result.get()
    }

    /// Has something done with the store by itself.
    ///
    /// - Parameter body: What to do. When it throws, what it began is rolled back.
    func perform<R: Sendable>(
        _ body: @escaping @Sendable (any LedgerStore) throws(StoreFailure) -> R
    ) async throws(LedgerError) -> R {
        let result = await withCheckedContinuation {
            (reply: CheckedContinuation<Result<R, LedgerError>, Never>) in
            let job = Job.task { store in
                do throws(StoreFailure) {
                    reply.resume(returning: .success(try body(store)))
                } catch {
                    store.rollback()
                    reply.resume(returning: .failure(.unavailable(error.description)))
                }
            }
            switch mailbox.put(job, weight: 1) {
            case .accepted: break
            case .full: reply.resume(returning: .failure(.busy(retryAfter: .seconds(1))))
            case .closed: reply.resume(returning: .failure(.unavailable("it was closed")))
            }
        }
        return try result.get()
    }

    // MARK: On the thread

    private static func run(
        _ jobs: [Job], _ store: any LedgerStore, _ onFault: (@Sendable (LedgerFaultPoint) -> Void)?
    ) {
        var waiting: [([LedgerCommand], Reply)] = []
        var count = 0
        for job in jobs {
            switch job {
            case .commands(let commands, let reply):
                waiting.append((commands, reply))
                count += commands.count
                guard count >= transactionCommandsMaximum else { continue }
            case .task: break
            }
            transact(waiting, store, onFault)
            waiting.removeAll(keepingCapacity: true)
            count = 0
            if case .task(let body) = job { body(store) }
        }
        transact(waiting, store, onFault)
    }

    private static func transact(
        _ jobs: [([LedgerCommand], Reply)], _ store: any LedgerStore,
        _ onFault: (@Sendable (LedgerFaultPoint) -> Void)?
    ) {
        guard !jobs.isEmpty else { return }
        do throws(StoreFailure) {
            let outcomes = try outcomes(of: jobs, store, onFault)
            for (job, outcomes) in zip(jobs, outcomes) { job.1.resume(returning: .success(outcomes)) }
        } catch {
            store.rollback()
            for job in jobs { job.1.resume(returning: .failure(.unavailable(error.description))) }
        }
    }

    private static func outcomes(
        of jobs: [([LedgerCommand], Reply)], _ store: any LedgerStore,
        _ onFault: (@Sendable (LedgerFaultPoint) -> Void)?
    ) throws(StoreFailure) -> [[LedgerOutcome]] {
        var book = LedgerBook(head: try store.begin())
        var keys = LedgerKeys()
        for job in jobs {
            for command in job.0 { keys.insert(command) }
        }
        try store.load(keys, into: &book)
        var behind = book.keysBehindRows()
        behind.accounts.subtract(keys.accounts)
        behind.leases.subtract(keys.leases)
        try store.load(behind, into: &book)
        let outcomes = jobs.map { job in job.0.map { book.apply($0) } }
        try finish(book, store, onFault)
        return outcomes
    }

    /// Saves what a book has changed and makes it durable.
    static func finish(
        _ book: LedgerBook, _ store: any LedgerStore, _ onFault: (@Sendable (LedgerFaultPoint) -> Void)?
    ) throws(StoreFailure) {
        guard !book.changes.isEmpty else { return store.rollback() }
        try store.save(book)
        onFault?(.beforeCommit)
        try store.commit()
        onFault?(.afterCommit)
    }
}
