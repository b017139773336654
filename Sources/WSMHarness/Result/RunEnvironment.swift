#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Where a run took place.
package struct RunEnvironment: Codable, Hashable, Sendable {
    /// wsmlab's own version.
    package var version: String
    /// The compiler's version.
    package var swift: String
    package var kernel: String
    package var cores: Int
    /// The version of Redis; `nil` without one.
    package var redis: String?
    /// Tells this machine from others without saying which it is (``MachineIdentity``); `nil` where nobody knows.
    package var machine: String?

    package init(
        version: String, swift: String, kernel: String, cores: Int, redis: String? = nil, machine: String? = nil
    ) {
        self.version = version
        self.swift = swift
        self.kernel = kernel
        self.cores = cores
        self.redis = redis
        self.machine = machine
    }

    /// This program's version.
    package static let programVersion = "0.1.0"

    /// This machine and this program.
    package static func current(redis: String? = nil) -> RunEnvironment {
        RunEnvironment(
            version: programVersion, swift: compilerVersion, kernel: kernelName(),
            cores: Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), redis: redis,
            machine: MachineIdentity.current)
    }

    #if compiler(>=6.4)
    private static let compilerVersion = "6.4 or later"
    #elseif compiler(>=6.3.2)
    private static let compilerVersion = "6.3.2 or later"
    #elseif compiler(>=6.3.1)
    private static let compilerVersion = "6.3.1"
    #elseif compiler(>=6.3)
    private static let compilerVersion = "6.3"
    #else
    private static let compilerVersion = "6.2"
    #endif

    private static func kernelName() -> String {
        var names = utsname()
        guard uname(&names) == 0 else { return "unknown" }
        func text<Characters>(_ characters: Characters) -> String {
            withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        return "\(text(names.sysname)) \(text(names.release))"
    }
}
