#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// On which core threads run.
package enum ThreadCore {
    // The C library's header shows this function to GNU sources only, which the toolchain's module of it is not.
    private static let ask = dlsym(nil, "sched_getcpu").map {
        unsafeBitCast($0, to: (@convention(c) () -> CInt).self)
    }

    /// The number of the core that the calling thread is on now; `nil` where the system does not tell.
    package static var current: CInt? {
        guard let core = ask?(), core >= 0 else { return nil }
        return core
    }
}
