import Testing
import WSMCore
import WSMManagers

/// A manager under test as a script: an event, and the effects that must follow from it.
struct Script<Machine: ManagerMachine<String>> {
    var machine: Machine
    var now = MonotonicInstant(nanoseconds: 0)

    init(_ machine: Machine) {
        self.machine = machine
    }

    /// Tells an event and returns its effects.
    @discardableResult
    mutating func tell(_ input: ManagerInput<String>) -> [ManagerEffect<String>] {
        var effects: [ManagerEffect<String>] = []
        machine.handle(input, now: now, effects: &effects)
        return effects
    }

    /// Tells an event and expects just these effects, in this order.
    mutating func tell(
        _ input: ManagerInput<String>, expecting expected: [ManagerEffect<String>],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let effects = tell(input)
        #expect(effects == expected, sourceLocation: sourceLocation)
    }

    /// Lets clients 0 ..< `count` open on the channel of events.
    mutating func open(_ count: UInt64) {
        for number in 0..<count { tell(.clientOpened(ClientID(number), .events)) }
    }
}

func client(_ number: UInt64) -> ClientID { ClientID(number) }

/// The clients with these numbers as the recipients of a serial walk.
func walk(_ numbers: ClosedRange<UInt64>) -> Recipients { .clients(numbers.map { ClientID($0) }[...]) }

extension Recipients {
    /// The numbers of the clients that are named one by one.
    var numbers: [UInt64] {
        switch self {
        case .channel: []
        case .client(let client): [client.rawValue]
        case .clients(let clients): clients.map(\.rawValue)
        }
    }
}

func publish(_ number: UInt64, _ payload: String, closes: Bool = false) -> ManagerInput<String> {
    .publish(BroadcastID(number), channels: [.events], payload, closesClients: closes)
}
