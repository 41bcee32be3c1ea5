import Dispatch

/// Waits until `condition` holds, for at most five minutes, and says whether it does.
package func eventually(_ condition: () -> Bool) async -> Bool {
    let clock = ContinuousClock()
    let deadline = clock.now.advanced(by: .seconds(300))
    while !condition() {
        if clock.now > deadline {
            return false
        }
        await nextLook()
    }
    return true
}

/// Waits until `value` has stayed the same over many looks, and returns it.
package func settled(_ value: () -> Int) async -> Int {
    var last = value()
    var same = 0
    while same < 100 {
        await nextLook()
        let now = value()
        same = now == last ? same + 1 : 0
        last = now
    }
    return last
}

/// A few milliseconds for everybody else, without spinning.
private func nextLook() async {
    await withCheckedContinuation { continuation in
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(3)) { continuation.resume() }
    }
}
