import Testing
import WSMCore

private func instant(_ milliseconds: Int64) -> MonotonicInstant {
    MonotonicInstant(nanoseconds: milliseconds * 1_000_000)
}

struct HealthCheckTests {
    private func makeCheck() -> HealthCheck {
        HealthCheck(interval: .seconds(10), deadline: .seconds(5), now: instant(0))
    }

    @Test("A silent peer is asked after the interval and dead after the deadline")
    func silence() {
        var check = makeCheck()
        #expect(check.timerFired(now: instant(0)) == .wait(.seconds(10)))
        #expect(check.timerFired(now: instant(10_000)) == .ask(thenWait: .seconds(5)))
        #expect(check.timerFired(now: instant(14_000)) == .wait(.seconds(1)))
        #expect(check.timerFired(now: instant(15_000)) == .dead)
    }

    @Test("Whatever is heard puts the question off")
    func heard() {
        var check = makeCheck()
        check.heard(now: instant(9000))
        #expect(check.timerFired(now: instant(10_000)) == .wait(.seconds(9)))
        #expect(check.timerFired(now: instant(19_000)) == .ask(thenWait: .seconds(5)))
        check.heard(now: instant(20_000))
        #expect(check.timerFired(now: instant(24_000)) == .wait(.seconds(6)))
    }

    @Test("While reading is paused silence means nothing, and afterwards it counts anew")
    func paused() {
        var check = makeCheck()
        #expect(check.timerFired(now: instant(10_000)) == .ask(thenWait: .seconds(5)))
        check.pause()
        #expect(check.timerFired(now: instant(15_000)) == .wait(.seconds(10)))
        check.resume(now: instant(60_000))
        #expect(check.timerFired(now: instant(61_000)) == .wait(.seconds(9)))
        #expect(check.timerFired(now: instant(70_000)) == .ask(thenWait: .seconds(5)))
    }
}
