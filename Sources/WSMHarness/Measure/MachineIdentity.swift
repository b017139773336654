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
        return ContentHash.hex(of: "\(number)\n\(cpuLine)")
    }()

    /// The model of its CPU; `nil` where the kernel does not tell.
    package static var cpuModel: String? {
        guard let colon = cpuLine.firstIndex(of: ":") else { return nil }
        return cpuLine[cpuLine.index(after: colon)...].trimmingCharacters(in: .whitespaces)
    }

    private static var cpuLine: Substring {
        ProcessUsage.read("/proc/cpuinfo")?.split(separator: "\n").first { $0.hasPrefix("model name") } ?? ""
    }
}
