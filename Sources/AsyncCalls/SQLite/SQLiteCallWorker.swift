import Storage
import Threads

/// The thread that owns the file: it does everything that waits in one transaction, and answers after the commit.
///
/// So one flush of the disk, which is what a durable write costs, is shared by all who wait for it.
final class SQLiteCallWorker: Sendable {
    /// Something to be done with the tables.
    struct Job {
        /// Whether the disk must have it before it is answered.
        let isDurable: Bool
        /// Does it, and returns how it is answered after the commit.
        let run: (SQLiteCallTables) throws(StoreFailure) -> @Sendable () -> Void
        /// Answers that it was not done, or may not have been.
        let fail: (CallStoreError) -> Void
    }

    /// How many jobs may wait for the thread: callers hold their bodies meanwhile.
    private static let jobsMaximum = 16_384
    private static let closed = CallStoreError.unavailable("it was closed")

    private let mailbox = Mailbox<Job>(weightMaximum: jobsMaximum)

    /// Starts the thread; the file is opened with the first job, and again after a failure.
    ///
    /// - Parameters:
    ///   - file: The file.
    ///   - opened: Told what waits each time the file was opened, on the thread.
    ///   - ended: Called on the thread when the file is closed for good.
    /// - Throws: When the system has no thread left.
    init(
        path: String, opened: @escaping @Sendable ([SQLiteCallTables.Waiting]) -> Void,
        ended: @escaping @Sendable () -> Void
    ) throws(CallStoreError) {
        let mailbox = mailbox
        let code = DetachedThread.start {
            let file = SQLiteFile(path: path, access: .writing, schema: SQLiteCallTables.schema)
            var tables: SQLiteCallTables?
            while let jobs = mailbox.takeAll() { Self.run(jobs, file, &tables, opened) }
            tables = nil
            file.unlock()
            ended()
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

    /// Has something done, together with what else waits.
    ///
    /// - Parameters:
    ///   - isDurable: Whether the disk must have it.
    ///   - body: What to do; it must not begin or end transactions.
    ///   - committed: What to do with the result once it is certain, on the thread.
    func perform<R: Sendable>(
        isDurable: Bool, _ body: @escaping @Sendable (SQLiteCallTables) throws(StoreFailure) -> R,
        committed: @escaping @Sendable (R) -> Void = { _ in }
    ) async throws(CallStoreError) -> R {
        let result = await withCheckedContinuation { (reply: CheckedContinuation<Result<R, CallStoreError>, Never>) in
            let job = Job(isDurable: isDurable) { (tables) throws(StoreFailure) in
                let result = try body(tables)
                return {
                    committed(result)
                    reply.resume(returning: .success(result))
                }
            } fail: { error in
                reply.resume(returning: .failure(error))
            }
            switch mailbox.put(job, weight: 1) {
            case .accepted: break
            case .full: reply.resume(returning: .failure(.full("the store has too much to do")))
            case .closed: reply.resume(returning: .failure(Self.closed))
            }
        }
        return try result.get()
    }

    // MARK: On the thread

    private static func run(
        _ jobs: [Job], _ file: SQLiteFile, _ tables: inout SQLiteCallTables?,
        _ opened: ([SQLiteCallTables.Waiting]) -> Void
    ) {
        do throws(StoreFailure) {
            let open: SQLiteCallTables
            if let known = tables {
                open = known
            } else {
                open = try SQLiteCallTables(try file.connect())
                opened(try open.waiting())
                tables = open
            }
            try open.begin(isDurable: jobs.contains { $0.isDurable })
            var answers: [@Sendable () -> Void] = []
            for job in jobs { answers.append(try job.run(open)) }
            try open.commit()
            for answer in answers { answer() }
        } catch {
            if (try? tables?.rollback()) == nil {
                // The next job opens the file anew, which recovers what was durable.
                tables = nil
            }
            for job in jobs { job.fail(.unavailable(error.description)) }
        }
    }
}
