import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A folder for one test, removed with all that it holds.
final class TemporaryFolder {
    let path: String

    init() throws {
        var template = Array("/tmp/wsmlab-test.XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
        }
        path = try #require(made)
    }

    deinit {
        for name in names { unlink("\(path)/\(name)") }
        rmdir(path)
    }

    var isEmpty: Bool { names.isEmpty }

    func read(_ name: String) throws -> String {
        let file = try #require(fopen("\(path)/\(name)", "r"))
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    private var names: [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}

/// A shell that a test starts, and kills with SIGKILL.
final class OwnerProcess {
    let pid: pid_t
    private var isReaped = false

    init(script: String, arguments: [String], supervisor: String) throws {
        var words: [UnsafeMutablePointer<CChar>?] = (["/bin/sh", "-c", script, "owner"] + arguments).map { strdup($0) }
        var variables: [UnsafeMutablePointer<CChar>?] = [strdup("SUPERVISOR=\(supervisor)")]
        if let path = getenv("PATH") { variables.append(strdup("PATH=\(String(cString: path))")) }
        defer { for word in words + variables { free(word) } }
        words.append(nil)
        variables.append(nil)
        var pid: pid_t = 0
        try #require(posix_spawn(&pid, "/bin/sh", nil, nil, words, variables) == 0)
        self.pid = pid
    }

    func kill() {
        guard !isReaped else { return }
        isReaped = true
        #if canImport(Glibc)
        _ = Glibc.kill(pid, SIGKILL)
        #elseif canImport(Musl)
        _ = Musl.kill(pid, SIGKILL)
        #else
        _ = Darwin.kill(pid, SIGKILL)
        #endif
        waitpid(pid, nil, 0)
    }
}
