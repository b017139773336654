internal import Foundation

/// Tells this machine from others without saying which it is.
package enum MachineIdentity {
    /// The hash of the machine's own number (machine-id(5)) and the model of its CPU; `nil` where it has no number.
    ///
    /// Times that were measured on another machine, or before its CPU was changed, say nothing here.
    package static let current: String? = {
        guard let number = ProcessUsage.read("/etc/machine-id")?.trimmingCharacters(in: .whitespacesAndNewlines),
            !number.isEmpty
        else { return nil }
        let cpu = ProcessUsage.read("/proc/cpuinfo")?.split(separator: "\n").first { $0.hasPrefix("model name") } ?? ""
        return ContentHash.hex(of: "\(number)\n\(cpu)")
    }()
}
