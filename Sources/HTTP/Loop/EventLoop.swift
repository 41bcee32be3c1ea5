import CEpoll
import Glibc
import Synchronization

/// One thread that waits for its sockets with epoll and runs everything that belongs to them.
///
/// All protocol work of a connection (parsing, framing, splicing, timers) runs on its loop's thread, synchronously and
/// without a lock. The loop is also a task executor, so an asynchronous handler entered with
/// `Task.immediate(executorPreference:)` starts on the spot and resumes on the same thread. A job that arrives after
/// the loop has stopped runs on the global executor, so no task is ever lost.
///
/// Nothing that blocks may run here: it would hold up every connection of the loop.
final class EventLoop: SerialExecutor, TaskExecutor, @unchecked Sendable {
    // SAFETY: everything but `remote`, `threadID` and the constants is touched on the loop's thread only, or before it
    // starts; `isOnLoop` is checked where a call could come from elsewhere.

    /// What one `recv` takes at most.
    ///
    /// One buffer per loop serves all of its connections: an idle one needs none.
    static let readBufferBytes = 64 * 1024
    /// Events taken from the kernel per turn; more wait for the next one.
    static let eventsPerTurnMaximum = 256
    /// The length of one timer tick.
    ///
    /// Deadlines are rounded up to it; all of ours are seconds.
    static let tickNanoseconds: UInt64 = 64_000_000

    /// What events of the loop's own descriptors bear; no descriptor is as large as one in them would be.
    private static let wakeToken = UInt64.max
    private static let alarmToken = UInt64.max - 1

    private struct Remote {
        var jobs: [UnownedJob] = []
        var actions: [@Sendable () -> Void] = []
        var isWoken = false
        var isStopped = false
        var isFinished = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    /// Bytes of the latest `recv`; valid until the next one on this loop.
    let readBuffer: UnsafeMutableBufferPointer<UInt8>
    /// Room in which a head or a small message is put together before it is sent.
    var scratch: [UInt8] = []
    /// Monotonic time at the start of this turn, in nanoseconds.
    private(set) var now: UInt64
    /// The `Date` field for messages that lack one, renewed every second.
    var dateCache = DateCache()
    /// Random numbers that need not be secret: request ids, choices between upstreams.
    var random: FastRandom

    private let epoll: Int32
    private let wakeDescriptor: Int32
    /// The clock that ends a wait; a limit of the wait itself would cost the kernel more, in each turn.
    private let alarmDescriptor: Int32
    private let remote = Mutex(Remote())
    private let threadID = Atomic<UInt>(0)
    private var jobs: [UnownedJob] = []
    private var channels: [Channel?] = []
    private var timers: TimerWheel
    /// When the timers have to be looked at, in monotonic nanoseconds.
    private var alarm: UInt64 = .max
    private var isStopping = false
    private var generation: UInt32 = 0
    private var turnEnders: [Channel] = []
    private var endedThisTurn: [AnyObject] = []

    /// Creates the loop's kernel objects; `start` runs it.
    ///
    /// - Throws: `SocketError` when the process has no descriptor left.
    init() throws(SocketError) {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw SocketError(call: "epoll_create1") }
        wakeDescriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard wakeDescriptor >= 0 else {
            let error = SocketError(call: "eventfd")
            close(epoll)
            throw error
        }
        alarmDescriptor = timerfd_create(CLOCK_MONOTONIC, timer_flags)
        guard alarmDescriptor >= 0 else {
            let error = SocketError(call: "timerfd_create")
            close(epoll)
            close(wakeDescriptor)
            throw error
        }
        readBuffer = .allocate(capacity: Self.readBufferBytes)
        readBuffer.initialize(repeating: 0)
        now = Self.monotonicNow()
        timers = TimerWheel(now: now / Self.tickNanoseconds)
        var generator = SystemRandomNumberGenerator()
        random = FastRandom(seed: generator.next())
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(u64: Self.wakeToken))
        epoll_ctl(epoll, EPOLL_CTL_ADD, wakeDescriptor, &event)
        // Told of once each time it goes off, it need not be read.
        event = epoll_event(events: EPOLLIN.rawValue | EPOLLET.rawValue, data: epoll_data_t(u64: Self.alarmToken))
        epoll_ctl(epoll, EPOLL_CTL_ADD, alarmDescriptor, &event)
    }

    deinit {
        close(epoll)
        close(wakeDescriptor)
        close(alarmDescriptor)
        readBuffer.deallocate()
    }

    /// Starts the thread, called `name` (at most 15 bytes are kept by the kernel).
    func start(name: String) throws(SocketError) {
        let context = Unmanaged.passRetained(LoopStart(loop: self, name: name))
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let start = Unmanaged<LoopStart>.fromOpaque(argument).takeRetainedValue()
                pthread_setname_np(pthread_self(), String(start.name.prefix(15)))
                start.loop.run()
                return nil
            }, context.toOpaque())
        guard result == 0 else {
            context.release()
            throw SocketError(call: "pthread_create", code: result)
        }
        pthread_detach(thread)
    }

    /// Asks the loop to close all of its channels and end, and waits until it has.
    func stop() async {
        await withCheckedContinuation { continuation in
            let isFinished = remote.withLock { remote in
                remote.isStopped = true
                if !remote.isFinished {
                    remote.waiters.append(continuation)
                }
                return remote.isFinished
            }
            if isFinished {
                continuation.resume()
            } else {
                wake()
            }
        }
    }

    /// Whether the caller runs on this loop's thread.
    var isOnLoop: Bool {
        threadID.load(ordering: .relaxed) == UInt(pthread_self())
    }

    /// Runs `action` on the loop: at once when called there, else in its next turn.
    ///
    /// - Returns: `false`, without having run it, when the loop has ended.
    @discardableResult
    func execute(_ action: @escaping @Sendable () -> Void) -> Bool {
        if isOnLoop {
            action()
            return true
        }
        return executeLater(action)
    }

    /// Runs `action` in the loop's next turn, also when called on the loop: whoever calls is done by then.
    ///
    /// - Returns: `false`, without having run it, when the loop has ended.
    @discardableResult
    func executeLater(_ action: @escaping @Sendable () -> Void) -> Bool {
        let needsWake: Bool? = remote.withLock { remote in
            guard !remote.isFinished else { return nil }
            remote.actions.append(action)
            defer { remote.isWoken = true }
            return !remote.isWoken
        }
        guard let needsWake else { return false }
        if needsWake {
            wake()
        }
        return true
    }

    // MARK: Executor

    func enqueue(_ job: consuming ExecutorJob) {
        enqueue(UnownedJob(job))
    }

    func enqueue(_ job: UnownedJob) {
        if isOnLoop {
            jobs.append(job)
            return
        }
        let needsWake: Bool? = remote.withLock { remote in
            guard !remote.isFinished else { return nil }
            remote.jobs.append(job)
            defer { remote.isWoken = true }
            return !remote.isWoken
        }
        switch needsWake {
        case nil: globalConcurrentExecutor.enqueue(job)
        case true?: wake()
        case false?: break
        }
    }

    func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    func checkIsolated() {
        precondition(isOnLoop, "This must run on its event loop")
    }

    func isIsolatingCurrentContext() -> Bool? {
        isOnLoop
    }

    // MARK: Channels (on the loop only)

    /// Starts to watch `channel`'s descriptor for its interest.
    func register(_ channel: Channel) -> Bool {
        let index = Int(channel.descriptor)
        while channels.count <= index {
            channels.append(nil)
        }
        generation &+= 1
        channel.generation = generation
        var event = epoll_event(events: channel.interest, data: epoll_data_t(u64: channel.token))
        guard epoll_ctl(epoll, EPOLL_CTL_ADD, channel.descriptor, &event) == 0 else { return false }
        channels[index] = channel
        return true
    }

    /// Tells the kernel that `channel` waits for something else now.
    func updateInterest(of channel: Channel) {
        var event = epoll_event(events: channel.interest, data: epoll_data_t(u64: channel.token))
        epoll_ctl(epoll, EPOLL_CTL_MOD, channel.descriptor, &event)
    }

    /// Stops watching; closing the descriptor is the channel's part and removes it from epoll.
    func unregister(_ channel: Channel) {
        let index = Int(channel.descriptor)
        guard index < channels.count, channels[index] === channel else { return }
        timers.remove(index)
        channel.timer = .max
        channels[index] = nil
        keepThroughTurn(channel)
    }

    /// Keeps something that has ended until the turn is over: who ended it may have been called by it, or for it.
    func keepThroughTurn(_ ended: AnyObject) {
        endedThisTurn.append(ended)
    }

    /// Stops watching a descriptor that stays open.
    func detach(_ channel: Channel) {
        epoll_ctl(epoll, EPOLL_CTL_DEL, channel.descriptor, nil)
        unregister(channel)
    }

    /// Sets when `channel.timedOut()` is called, `duration` from the start of this turn.
    func setDeadline(of channel: Channel, after duration: UInt64) {
        let deadline = now &+ duration
        channel.deadline = deadline
        // Moved later, as almost always, it is looked at again when the timer that is set comes up.
        if deadline < channel.timer {
            setTimer(of: channel)
        }
    }

    private func setTimer(of channel: Channel) {
        channel.timer = channel.deadline
        timers.set(Int(channel.descriptor), deadline: channel.deadline / Self.tickNanoseconds + 1)
        setAlarm()
    }

    /// Has the next wait end when the timers have to be looked at.
    private func setAlarm() {
        guard let tick = timers.nextTick() else { return }
        let time = tick &* Self.tickNanoseconds
        guard time < alarm else { return }
        alarm = time
        var setting = itimerspec()
        setting.it_value.tv_sec = Int(time / 1_000_000_000)
        setting.it_value.tv_nsec = Int(time % 1_000_000_000)
        timerfd_settime(alarmDescriptor, timer_absolute, &setting, nil)
    }

    /// Calls off `channel`'s deadline.
    func clearDeadline(of channel: Channel) {
        channel.deadline = .max
    }

    /// Calls `channel.turnEnded()` once, when everything else of this turn is done.
    func atTurnEnd(_ channel: Channel) {
        turnEnders.append(channel)
    }

    /// Nanoseconds of the monotonic clock, read now.
    static func monotonicNow() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }

    // MARK: The loop itself

    private func wake() {
        eventfd_write(wakeDescriptor, 1)
    }

    private func run() {
        threadID.store(UInt(pthread_self()), ordering: .relaxed)
        var events = [epoll_event](repeating: epoll_event(), count: Self.eventsPerTurnMaximum)
        while true {
            let isBusy = !jobs.isEmpty || !turnEnders.isEmpty
            let count = epoll_wait(epoll, &events, Int32(events.count), isBusy ? 0 : -1)
            now = Self.monotonicNow()
            if count > 0 {
                for index in 0..<Int(count) {
                    dispatch(events[index])
                }
            }
            runJobs()
            if now >= alarm {
                fireTimers()
            }
            endTurn()
            if isStopping {
                break
            }
        }
        finish()
    }

    private func dispatch(_ event: epoll_event) {
        let token = event.data.u64
        guard token < Self.alarmToken else {
            if token == Self.wakeToken {
                var value: eventfd_t = 0
                eventfd_read(wakeDescriptor, &value)
                takeRemote()
            }
            return
        }
        let index = Int(token & 0xFFFF_FFFF)
        // A channel closed earlier in this turn may have left an event behind, for a descriptor that is another's now.
        guard index < channels.count, let channel = channels[index], channel.token == token else { return }
        channel.handle(event.events)
    }

    private func takeRemote() {
        let (arrived, actions) = remote.withLock { remote in
            remote.isWoken = false
            isStopping = remote.isStopped
            defer {
                remote.jobs.removeAll(keepingCapacity: true)
                remote.actions.removeAll(keepingCapacity: true)
            }
            return (remote.jobs, remote.actions)
        }
        jobs.append(contentsOf: arrived)
        for action in actions {
            action()
        }
    }

    /// Runs the jobs that are due, and those that they enqueue, for a few rounds; the rest waits for the next turn.
    private func runJobs() {
        var rounds = 0
        while !jobs.isEmpty, rounds < 16 {
            let batch = jobs
            jobs.removeAll(keepingCapacity: true)
            for job in batch {
                job.runSynchronously(
                    isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
            }
            rounds += 1
        }
    }

    private func fireTimers() {
        alarm = .max
        for index in timers.advance(to: now / Self.tickNanoseconds) {
            guard index < channels.count, let channel = channels[index] else { continue }
            channel.timer = .max
            if channel.deadline <= now {
                channel.deadline = .max
                channel.timedOut()
            } else if channel.deadline != .max {
                setTimer(of: channel)
            }
        }
        setAlarm()
    }

    private func endTurn() {
        if !turnEnders.isEmpty {
            let channels = turnEnders
            turnEnders.removeAll(keepingCapacity: true)
            for channel in channels {
                channel.turnEnded()
            }
        }
        if !endedThisTurn.isEmpty {
            endedThisTurn = []
        }
    }

    /// Closes what is left and runs the jobs that closing set free, then lets the waiters of `stop` go.
    private func finish() {
        for channel in channels {
            channel?.close()
        }
        let waiters = drainAndFinish()
        channels.removeAll()
        threadID.store(0, ordering: .relaxed)
        for waiter in waiters {
            waiter.resume()
        }
    }

    private func drainAndFinish() -> [CheckedContinuation<Void, Never>] {
        while true {
            takeRemote()
            runJobs()
            let waiters: [CheckedContinuation<Void, Never>]? = remote.withLock { remote in
                guard jobs.isEmpty, remote.jobs.isEmpty, remote.actions.isEmpty else { return nil }
                remote.isFinished = true
                defer { remote.waiters = [] }
                return remote.waiters
            }
            if let waiters {
                return waiters
            }
        }
    }
}

/// What a new thread needs to know.
private final class LoopStart {
    let loop: EventLoop
    let name: String

    init(loop: EventLoop, name: String) {
        self.loop = loop
        self.name = name
    }
}
