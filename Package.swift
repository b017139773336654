// swift-tools-version: 6.2
import PackageDescription

/// Settings of every target: the language mode is Swift 6 throughout, imports are internal unless said otherwise, and a
/// warning fails the build.
let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// One room of the package: `needs` names the modules below it, `uses` the products of other packages.
///
/// `--explicit-target-dependency-import-check error` makes the compiler hold the code to these lists.
func module(_ name: String, needs: [String] = [], uses: [Target.Dependency] = []) -> Target {
    .target(
        name: name, dependencies: needs.map { .target(name: $0) } + uses, path: "Sources/\(name)",
        swiftSettings: swiftSettings)
}

/// The tests of `name`, which may see what the module itself sees.
func tests(of name: String, needs: [String] = [], uses: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: [.target(name: name)] + needs.map { .target(name: $0) } + uses,
        path: "Tests/\(name)Tests", swiftSettings: swiftSettings)
}

/// A module that other packages may use.
func library(_ name: String) -> Product { Product.`library`(name: name, targets: [name]) }

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioWebSocket = Target.Dependency.product(name: "NIOWebSocket", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let x509 = Target.Dependency.product(name: "X509", package: "swift-certificates")
let asn1 = Target.Dependency.product(name: "SwiftASN1", package: "swift-asn1")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "wsmlab",
    products: [
        library("WSMManagers"),
        library("WSMTLS"),
        library("WSMRedis"),
        library("WSMInstance"),
        .executable(name: "wsmlab", targets: ["wsmlab"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.0.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        .target(name: "CEpoll", path: "Sources/CEpoll"),
        .target(name: "CHiredis", path: "Sources/CHiredis", linkerSettings: [.linkedLibrary("hiredis")]),
        .target(name: "CZstd", path: "Sources/CZstd", linkerSettings: [.linkedLibrary("zstd")]),
        module("WSMCore"),
        module("WSMManagers", needs: ["WSMCore"], uses: [deque]),
        module("WSMTLS", uses: [nioCore, nioTLS, nioSSL, nioEmbedded]),
        module("WSMCertificates", uses: [x509, asn1, crypto]),
        module("WSMRedis", needs: ["WSMCore", "WSMTLS", "CHiredis"], uses: [nioCore, nioPosix, deque]),
        module(
            "WSMInstance", needs: ["WSMCore", "WSMTLS", "WSMManagers", "WSMRedis"],
            uses: [nioCore, nioPosix, nioHTTP, nioWebSocket, deque, crypto]),
        module("WSMRecord", needs: ["WSMCore", "CZstd"], uses: [histogram]),
        module("WSMVerify", needs: ["WSMCore", "WSMRecord"]),
        module(
            "WSMClients", needs: ["CEpoll", "WSMCore", "WSMTLS", "WSMRecord"],
            uses: [nioCore, nioPosix, nioHTTP, nioWebSocket]),
        module("WSMScenario", needs: ["WSMCore"], uses: [yams]),
        module("WSMSimulation", needs: ["WSMCore", "WSMManagers", "WSMScenario", "WSMRecord", "WSMVerify"]),
        module(
            "WSMHarness",
            needs: [
                "WSMCore", "WSMTLS", "WSMCertificates", "WSMManagers", "WSMRedis", "WSMInstance", "WSMRecord",
                "WSMVerify", "WSMClients", "WSMScenario", "WSMSimulation",
            ], uses: [nioCore, nioPosix, nioHTTP, nioWebSocket, subprocess, system]),
        module("WSMReport", needs: ["WSMCore", "WSMRecord", "WSMVerify", "WSMScenario", "WSMHarness"]),
        .executableTarget(
            name: "wsmlab",
            dependencies: [
                "WSMCore", "WSMManagers", "WSMRedis", "WSMInstance", "WSMScenario", "WSMHarness", "WSMReport",
                argumentParser, nioCore, nioPosix,
            ], path: "Sources/wsmlab", swiftSettings: swiftSettings),
        .executableTarget(
            name: "EmbedManager",
            dependencies: [
                "WSMCore", "WSMManagers", "WSMRedis", "WSMInstance", nioCore, nioPosix, nioHTTP, nioWebSocket,
            ], path: "Examples/EmbedManager", swiftSettings: swiftSettings),
        // Timings for `make bench`; no product needs it.
        .target(name: "Allocations", path: "Benchmarks/Allocations"),
        .executableTarget(
            name: "wsmlab-bench",
            dependencies: [
                "Allocations", "WSMCore", "WSMManagers", "WSMRedis", "WSMInstance", "WSMClients", "WSMRecord",
                "WSMVerify", nioCore, nioPosix,
            ], path: "Benchmarks/wsmlab-bench", swiftSettings: swiftSettings),
        // Random faults for `make soak`; no product needs it.
        .executableTarget(
            name: "wsmlab-soak", dependencies: ["WSMCore", "WSMScenario", "WSMVerify", "WSMHarness", argumentParser],
            path: "Sources/wsmlab-soak", swiftSettings: swiftSettings),
        // A build that is worse by what it is told, for `make gate-rates`; no product needs it.
        .executableTarget(
            name: "wsmlab-planted",
            dependencies: [
                "WSMCore", "WSMManagers", "WSMInstance", "WSMScenario", "WSMHarness", argumentParser, nioCore, nioPosix,
            ], path: "Tests/wsmlab-planted", swiftSettings: swiftSettings),
        // Ten thousand random clusters, and planted mutants among them, for `make swarm`; no product needs it.
        .executableTarget(
            name: "wsmlab-swarm",
            dependencies: ["WSMCore", "WSMScenario", "WSMHarness", "WSMReport", "WSMMutants", argumentParser],
            path: "Tests/wsmlab-swarm", swiftSettings: swiftSettings),
        // The defects that a swarm must find.
        .target(
            name: "WSMMutants",
            dependencies: ["WSMCore", "WSMManagers", "WSMScenario", "WSMSimulation", "WSMHarness"],
            path: "Tests/WSMMutants", swiftSettings: swiftSettings),
        // What tests of several modules share.
        .target(
            name: "WSMTestSupport", dependencies: [subprocess, system], path: "Tests/WSMTestSupport",
            swiftSettings: swiftSettings),
        tests(of: "WSMCore"),
        tests(of: "WSMManagers", needs: ["WSMCore"]),
        tests(of: "WSMTLS", needs: ["WSMCertificates"], uses: [nioCore, nioPosix]),
        tests(
            of: "WSMRedis", needs: ["WSMCore", "WSMTLS", "WSMCertificates", "CHiredis"],
            uses: [nioCore, nioPosix, nioEmbedded]),
        tests(
            of: "WSMInstance",
            needs: ["WSMCore", "WSMTLS", "WSMCertificates", "WSMManagers", "WSMRedis", "WSMClients", "WSMRecord"],
            uses: [nioCore, nioPosix, nioHTTP, nioWebSocket, nioEmbedded]),
        tests(of: "WSMRecord", needs: ["WSMCore", "CZstd"]),
        tests(of: "WSMVerify", needs: ["WSMCore", "WSMRecord"]),
        tests(
            of: "WSMClients", needs: ["WSMCore", "WSMRecord"],
            uses: [nioCore, nioPosix, nioHTTP, nioWebSocket, nioEmbedded]),
        tests(of: "WSMScenario", needs: ["WSMCore", "WSMTestSupport"]),
        tests(
            of: "WSMSimulation", needs: ["WSMCore", "WSMManagers", "WSMRecord", "WSMRedis"],
            uses: [nioCore, nioPosix]),
        tests(
            of: "WSMHarness",
            // The program itself too: runs with processes start it.
            needs: [
                "WSMCore", "WSMTLS", "WSMCertificates", "WSMManagers", "WSMRedis", "WSMInstance", "WSMScenario",
                "WSMVerify", "WSMRecord", "WSMSimulation", "WSMTestSupport", "WSMReport", "WSMMutants", "wsmlab",
                "wsmlab-planted",
            ], uses: [nioCore, nioPosix, nioHTTP, nioWebSocket, nioEmbedded, subprocess, system]),
        tests(
            of: "WSMReport",
            needs: ["WSMCore", "WSMRecord", "WSMVerify", "WSMScenario", "WSMHarness", "WSMTestSupport"]),
        .testTarget(
            name: "PlantedDefects",
            dependencies: [
                "WSMCore", "WSMManagers", "WSMRedis", "WSMRecord", "WSMVerify", "WSMScenario", "WSMHarness", nioCore,
                nioPosix,
            ], path: "Tests/PlantedDefects", swiftSettings: swiftSettings),
    ]
)
