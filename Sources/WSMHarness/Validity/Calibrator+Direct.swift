internal import NIOCore
internal import WSMClients
internal import WSMCore
internal import WSMRecord
internal import WSMScenario
internal import WSMVerify

extension Calibrator {
    /// Sessions of the observer that is calibrated; more only cost time to open.
    private static let directSessions = 10_000
    private static let directWarmup = TimeSpan.milliseconds(30)
    private static let directSpan = TimeSpan.milliseconds(120)

    /// Calibrates the recording of clients without sockets, on the event loops that they live on: observers of their own
    /// are handed stamped messages, without an instance.
    ///
    /// There is no floor of the latency: nothing lies between the instance and the record.
    func calibrateDirect(on loops: [any EventLoop], publishers: Int) async throws -> Calibration {
        let sessions = min(Self.directSessions, max(1, plan.clients.count / max(1, loops.count)))
        let message = BroadcastPayload.json(bytes: plan.messageBytes)
        let run = self.run
        var intake = Intake()
        intake.loops = loops.count
        // One after the other: each is to have the CPU to itself.
        for loop in loops.prefix(AllowedCPUs.count) {
            let part = try await loop.submit {
                Self.record(run: run, publishers: publishers, sessions: sessions, json: message)
            }.get()
            intake.deliveries += part.deliveries
            intake.ran = intake.ran + part.ran
        }
        let pacing = await PacingProbe.measure(publishers: plan.publisherThreads, span: .milliseconds(100))
        return Calibration(
            deliveriesPerSecond: intake.perSecond, bulkDeliveriesPerSecond: nil,
            cpuSecondsPerMillionDeliveries: intake.cpuSecondsPerMillion, latencyFloor: nil, pacing: pacing.summary)
    }

    /// Hands messages to an observer for a while, each to all of its sessions.
    private static func record(run: UInt32, publishers: Int, sessions: Int, json: [UInt8]) -> Intake {
        let observer = DeliveryObserver(
            run: run, publisherCount: publishers, channel: 0, measuredFrom: MonotonicInstant(nanoseconds: 0))
        let opened = MonotonicInstant.now()
        let handles = (0..<sessions).map {
            observer.sessionOpened(
                client: UInt32($0), instance: 0, slowReader: false, attemptedAt: opened, openedAt: opened)
        }
        var sequence: UInt64 = 0
        func feed(until deadline: MonotonicInstant) -> Int64 {
            var deliveries: Int64 = 0
            while MonotonicInstant.now() < deadline {
                let now = MonotonicInstant.now()
                var stamp = ProbeStamp(run: run, publisher: PublisherID(0), sequence: sequence, intended: now)
                stamp.published = now
                sequence += 1
                let message = stamp.appended(to: json)
                message.withUnsafeBytes { bytes in
                    handles.withUnsafeBufferPointer {
                        observer.received(sessions: $0, message: bytes, at: .now())
                    }
                }
                deliveries += Int64(handles.count)
            }
            return deliveries
        }
        _ = feed(until: .now() + directWarmup)
        var intake = Intake()
        let before = ThreadSchedule.ofCurrentThread()
        intake.deliveries = feed(until: .now() + directSpan)
        if let before, let after = ThreadSchedule.ofCurrentThread() { intake.ran = after.ran - before.ran }
        return intake
    }
}
