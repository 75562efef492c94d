// swift-tools-version: 6.0
import PackageDescription

let package = Package(
  name: "Epicure",
  products: [.executable(name: "epicure", targets: ["epicure"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/attaswift/BigInt", from: "6.0.1"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // Ground floor: facts about the architecture, no machine state.
    .systemLibrary(name: "CELF", providers: [.apt(["libelf-dev"])]),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CNBD", providers: [.apt(["libnbd-dev"])]),
    .systemLibrary(name: "CProcess"),
    .systemLibrary(name: "CSlirp", providers: [.apt(["libslirp-dev"])]),
    .systemLibrary(name: "CVNC", providers: [.apt(["libvncserver-dev"])]),
    // C, and not only a header, so that the build sees when decoding.bin changes.
    .target(name: "CDecodingTable", exclude: ["decoding.bin"]),
    .target(name: "IA64", dependencies: ["CDecodingTable"]),
    .target(name: "Arithmetic"),
    .target(name: "Loading", dependencies: ["CELF", "CZlib"]),
    // The processor and the server around it.
    .systemLibrary(name: "CThreadedCode"),
    .systemLibrary(name: "CHostAtomics"),
    .systemLibrary(name: "CHostArithmetic"),
    .target(name: "Processor", dependencies: ["IA64", "Arithmetic", "CHostArithmetic", "CHostAtomics", "CThreadedCode"]),
    .target(
      name: "Pipeline", dependencies: ["IA64", "Processor", .product(name: "Yams", package: "Yams")],
      resources: [
        .embedInCode("Resources/montecito-1.6.yaml"), .embedInCode("Resources/madison-1.5.yaml"),
        .embedInCode("Resources/mckinley-1.0.yaml"),
      ]),
    .target(name: "Platform", dependencies: ["CHostAtomics", "Processor"]),
    .target(name: "Hypervisor", dependencies: ["Loading", "Platform", "Processor", "SystemFirmware"]),
    .target(
      name: "Devices", dependencies: ["Platform", "HostResources", "CZlib"], resources: [.embedInCode("Resources/cp437-8x16.font")]),
    // Back ends of the host for paravirtualized front ends.
    .target(name: "SplitDrivers", dependencies: ["Devices", "Hypervisor", "HostResources", "Platform"]),
    .target(name: "HostResources", dependencies: ["CSlirp", "CNBD", "CVNC", "CZlib"]),
    // File systems that the firmware reads.
    .target(name: "FirmwareMedia", dependencies: ["HostResources"]),
    .target(
      name: "SystemFirmware",
      dependencies: ["IA64", "Arithmetic", "Platform", "Processor", "Loading", "HostResources", "FirmwareMedia", "CZlib"],
      resources: [.embedInCode("Resources/firmware.bin"), .embedInCode("Resources/dsdt.aml")]),
    // User programs without a kernel.
    .target(
      name: "LinuxUser",
      dependencies: ["IA64", "Arithmetic", "Processor", "Loading", .product(name: "Logging", package: "swift-log")]),
    // What the cycle timing of the processor is measured with.
    .target(
      name: "CycleBenchmarks", dependencies: ["IA64", "Arithmetic", "Processor"],
      resources: ["copy", "dot", "daxpy", "add_n", "mul_1", "addmul_1"].map { .embedInCode("Kernels/\($0).ia64") }),
    // What people look at guests and their hypervisor with.
    .target(
      name: "Inspection",
      dependencies: [
        "Arithmetic", "CELF", "CProcess", "CZlib", "Devices", "HostResources", "Hypervisor", "IA64", "Loading", "Pipeline",
        "Platform", "Processor",
      ]),
    // Domains as their administrators see them.
    .target(name: "Management"),
    // The command line.
    .target(
      name: "Commands",
      dependencies: [
        "IA64", "LinuxUser", "CProcess", "CycleBenchmarks", "Devices", "HostResources", "Hypervisor", "Inspection", "Management",
        "Pipeline", "Platform", "Processor", "SplitDrivers", "SystemFirmware", "Loading",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Yams", package: "Yams"),
      ],
      resources: [
        .embedInCode("Resources/selftest.elf.gz"), .embedInCode("Resources/virtbench.gz"),
        .embedInCode("Resources/iobench.elf.gz"),
      ]),
    // Makes what CDecodingTable has.
    .executableTarget(name: "decoding-table", dependencies: ["IA64"]),
    // Swift's libraries are part of the program: it starts in two thirds of the time, and runs where no Swift is. SwiftPM's own option for it
    // (--static-swift-stdlib) would compile everything a second time for the tests. The static libraries do not say what they need themselves.
    .executableTarget(
      name: "epicure", dependencies: ["Commands"],
      linkerSettings: [
        .unsafeFlags(
          [
            "-static-stdlib", "-use-ld=lld", "-lCoreFoundation", "-l_FoundationICU", "-l_FoundationCShims",
            "-l_FoundationCollections",
          ],
          .when(platforms: [.linux]))
      ]),
    // Tests.
    .target(name: "TestSupport", path: "Tests/TestSupport"),
    // Storage that fails, and what it may hold then.
    .target(name: "StorageTestSupport", dependencies: ["HostResources"], path: "Tests/StorageTestSupport"),
    .testTarget(name: "IA64Tests", dependencies: ["CDecodingTable", "IA64", "Loading", "TestSupport"]),
    .testTarget(
      name: "ArithmeticTests",
      dependencies: ["Arithmetic", .product(name: "BigInt", package: "BigInt")]),
    .testTarget(
      name: "ProcessorTests", dependencies: ["Arithmetic", "Hypervisor", "Platform", "Processor", "IA64", "TestSupport"]),
    .testTarget(name: "PipelineTests", dependencies: ["Pipeline", "Processor", "IA64"]),
    .testTarget(
      name: "DevicesTests",
      dependencies: ["Devices", "HostResources", "Platform", "Processor", "SystemFirmware", "Loading", "TestSupport"]),
    .testTarget(name: "HostResourcesTests", dependencies: ["HostResources", "StorageTestSupport", "TestSupport"]),
    .testTarget(name: "PlatformTests", dependencies: ["IA64", "Platform", "Processor", "Devices", "HostResources", "TestSupport"]),
    .testTarget(
      name: "SystemFirmwareTests",
      dependencies: ["SystemFirmware", "Platform", "Processor", "Loading", "Devices", "HostResources", "CZlib", "TestSupport"]),
    .testTarget(name: "FirmwareMediaTests", dependencies: ["FirmwareMedia", "HostResources", "TestSupport"]),
    .testTarget(
      name: "HypervisorTests",
      dependencies: ["Hypervisor", "IA64", "Loading", "Platform", "Processor", "SystemFirmware", "TestSupport"]),
    .testTarget(
      name: "SplitDriversTests",
      dependencies: [
        "SplitDrivers", "Devices", "Hypervisor", "HostResources", "Platform", "Processor", "StorageTestSupport", "TestSupport",
      ]),
    .testTarget(name: "CycleBenchmarksTests", dependencies: ["CycleBenchmarks", "IA64", "Pipeline", "Processor", "TestSupport"]),
    .testTarget(name: "ManagementTests", dependencies: ["Management", "TestSupport"]),
    .testTarget(
      name: "InspectionTests",
      dependencies: [
        "Inspection", "HostResources", "Hypervisor", "IA64", "Platform", "Processor", "StorageTestSupport", "TestSupport",
      ]),
    .testTarget(name: "CommandTests", dependencies: ["Commands", "IA64", "Loading", "TestSupport"]),
  ]
)
