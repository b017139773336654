import Testing
import WSMCore
import WSMHarness
import WSMManagers
import WSMVerify

@Suite("What an instance tells the settlement")
struct InstanceRecordTests {
    private func at(_ milliseconds: Int64) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: milliseconds * 1_000_000)
    }

    private func context(_ record: InstanceRecord) -> SettlementContext {
        var context = SettlementContext(manager: .broadcast, runStart: at(0), measuredFrom: at(0))
        record.add(to: &context)
        return context
    }

    private let subscription = SubscriptionID(4)

    @Test("An outage lasts from the last message that came to the new subscription, and ends with a marker")
    func sharedOutage() {
        for policy in [BrokerLoss.resubscribeMarked, .resubscribeSilently] {
            var record = InstanceRecord(instance: 2, brokerLoss: policy)
            record.traced(.brokerLost(subscription, of: nil), at: at(50), delivered: at(42))
            record.traced(.resubscribed(subscription, of: nil, attempts: 1), at: at(70), delivered: nil)
            let context = context(record)
            #expect(context.brokerOutages == [.init(instance: 2, from: at(42), until: at(70))])
            #expect(context.gapMarkers == (policy == .resubscribeMarked ? [.init(instance: 2, at: at(70))] : []))
            #expect(record.brokerLosses == 1)
        }
    }

    @Test("Where clients are told by a close, the instance's word that it told them counts for nothing")
    func markedByClose() {
        var record = InstanceRecord(instance: 2, brokerLoss: .resubscribeMarked, marksByClose: true)
        record.traced(.brokerLost(subscription, of: nil), at: at(50), delivered: at(42))
        record.traced(.resubscribed(subscription, of: nil, attempts: 1), at: at(70), delivered: nil)
        let context = context(record)
        #expect(context.brokerOutages.count == 1 && context.gapMarkers.isEmpty)
    }

    @Test("A client with a subscription of its own has an outage of its own, which ends when the client leaves")
    func ownOutage() {
        var record = InstanceRecord(instance: 0, brokerLoss: .resubscribeMarked)
        for number in 0..<3 { record.connected(ClientID(UInt64(number)), as: UInt32(number + 10)) }
        record.traced(.brokerLost(SubscriptionID(0), of: ClientID(0)), at: at(50), delivered: nil)
        record.traced(.brokerLost(SubscriptionID(1), of: ClientID(1)), at: at(51), delivered: nil)
        record.traced(.brokerLost(SubscriptionID(2), of: ClientID(2)), at: at(52), delivered: nil)
        record.traced(.resubscribed(SubscriptionID(0), of: ClientID(0), attempts: 1), at: at(60), delivered: nil)
        record.disconnected(ClientID(1), at: at(61))
        record.disconnected(ClientID(0), at: at(62))
        let context = context(record)
        #expect(
            context.brokerOutages == [
                .init(instance: 0, client: 10, from: at(50), until: at(60)),
                .init(instance: 0, client: 11, from: at(51), until: at(61)),
                .init(instance: 0, client: 12, from: at(52), until: nil),
            ])
        #expect(context.gapMarkers == [.init(instance: 0, client: 10, at: at(60))])
    }

    @Test("Messages left out in a row are one window, and the next message that is sent ends it")
    func leftOut() {
        var record = InstanceRecord(instance: 0, brokerLoss: .resubscribeMarked)
        record.connected(ClientID(9), as: 7)
        record.leftOut(7, count: 1, from: at(10), until: at(10), isFirst: true)
        record.leftOut(7, count: 2, from: at(11), until: at(12), isFirst: false)
        record.leftOut(7, count: 1, from: at(30), until: at(30), isFirst: true)
        #expect(record.leftOut == 4)
        #expect(
            context(record).slowClientDrops == [
                .init(client: 7, instance: 0, from: at(10), until: at(12)),
                .init(client: 7, instance: 0, from: at(30), until: at(30)),
            ])
    }

    @Test("Events beyond the limit are counted, and none of them is kept")
    func limit() {
        var record = InstanceRecord(instance: 0, brokerLoss: .resubscribeMarked)
        for sequence in 0..<(InstanceRecord.limit + 5) {
            record.fanOutAborted(publisher: 1, sequence: UInt64(sequence))
        }
        #expect(record.unkept == 5)
        #expect(context(record).abortedFanOuts.count == InstanceRecord.limit)
    }

    @Test("A dead thread is told, a stopped one is not, and clients left out at shutdown are counted")
    func ends() {
        var record = InstanceRecord(instance: 1, brokerLoss: .retryThenDrop)
        record.traced(.skippedAtShutdown(3), at: at(1), delivered: nil)
        record.broadcastThreadEnded(.stopped(left: 2), at: at(2))
        #expect(context(record).threadDeaths.isEmpty)
        record.broadcastThreadEnded(.died, at: at(3))
        #expect(context(record).threadDeaths == [.init(instance: 1, at: at(3))])
        #expect(record.skippedAtShutdown == 3)
    }
}
