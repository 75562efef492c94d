import Devices
import Foundation
import HostResources
import Platform
import Processor
import SystemFirmware
import Testing

/// A machine with a serial port that runs EFI images: what they print, and how it ends.
final class EFIBench: FirmwareHost, SerialPeer {
  let machine: Machine
  let uart: UART16550
  private(set) var firmware: SystemFirmware! = nil
  private(set) var output: [UInt8] = []
  private(set) var actions: [PowerAction] = []
  /// Typed when something waits for a key.
  var input: [UInt8] = []

  var memory: any GuestMemory { machine.memory }
  var processors: [LogicalProcessor] { machine.processors }
  var text: String { String(decoding: output, as: UTF8.self) }

  init(memorySize: UInt64 = 128 << 20) throws {
    machine = try Machine(MachineConfiguration(memorySize: memorySize))
    uart = UART16550(line: machine.ioSAPIC.line(MemoryMap.uartGSI))
    try machine.bus.ports.map("serial port", UInt64(MemoryMap.uartPort)..<UInt64(MemoryMap.uartPort) + 8, uart)
    firmware = try SystemFirmware(host: self)
    machine.bus.firmware = { [unowned self] number, processor in firmware.gate(number, processor: processor) }
    uart.peer = self
    machine.waitForWork = { [unowned self] cycles in
      input.removeFirst(uart.receive(input))
      return cycles
    }
  }

  func perform(_ action: PowerAction) {
    actions.append(action)
    machine.stop(1)
  }
  func transmit(_ byte: UInt8) { output.append(byte) }
  func readyToReceive() {}

  enum End: Equatable { case action(PowerAction), limit, deadlock, faultLoop }

  /// Runs until the firmware has something to say about the machine's power, or for `cycles` at most.
  func run(cycles: UInt64 = 4_000_000_000) -> End {
    switch machine.run(until: machine.now + cycles) {
    case .requested: actions.last.map { .action($0) } ?? .limit
    case .limit: .limit
    case .deadlock: .deadlock
    case .faultLoop: .faultLoop
    }
  }

  // MARK: Images

  private static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("GuestImages/efi")

  static let missing: Comment = "skipped: no IA-64 assembler; `make test-packages` installs what is missing"
  static let hasAssembler = EFITool.isInstalled("ia64-linux-gnu-as", "make")

  /// The applications of GuestImages/efi, assembled once.
  private static let images: [String: [UInt8]] = {
    let folder = NSTemporaryDirectory() + "epicure-efi-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    _ = EFITool.run("make", ["-s", "-C", sources.path, "BUILD=\(folder)"])
    var list: [String: [UInt8]] = [:]
    for name in ["hello", "child", "services", "files", "faults"] {
      if let data = FileManager.default.contents(atPath: "\(folder)/\(name).efi") { list[name] = Array(data) }
    }
    return list
  }()
  static func image(_ name: String) throws -> [UInt8] { try #require(images[name], "\(name).efi was not assembled") }
}

/// Host tools that are oracles.
enum EFITool {
  static func isInstalled(_ tools: String...) -> Bool {
    let missing = tools.filter { tool in
      !["/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/"].contains { FileManager.default.isExecutableFile(atPath: $0 + tool) }
    }
    if !missing.isEmpty, ProcessInfo.processInfo.environment["CI"] == "true" {
      Issue.record("missing: \(missing.joined(separator: ", ")); `make test-packages` installs them")
    }
    return missing.isEmpty
  }

  @discardableResult
  static func run(_ tool: String, _ arguments: [String], mayFail: Bool = false) -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [tool] + arguments
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["LC_ALL": "C.UTF-8", "MTOOLS_SKIP_CHECK": "1", "PATH": "/usr/sbin:/sbin:/usr/bin:/bin"], uniquingKeysWith: { $1 })
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    do { try process.run() } catch { return (-1, "\(error)") }
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    if !mayFail, process.terminationStatus != 0 { Issue.record("\(tool) \(arguments.joined(separator: " ")): \(output)") }
    return (process.terminationStatus, output)
  }
}

/// A disk image in a temporary file: GPT, one EFI system partition of FAT at 1 MiB.
final class EFIDisk {
  let path = NSTemporaryDirectory() + "epicure-disk-\(UUID().uuidString)"
  static let start = 1 << 20
  static let size = 16 << 20
  static let hasTools = EFITool.isInstalled("sgdisk", "mkfs.vfat", "fsck.vfat", "mcopy", "mmd")
  static let missing: Comment = "skipped: `make test-packages` installs gdisk, dosfstools and mtools"

  init(_ files: [(path: String, contents: [UInt8])]) throws {
    _ = FileManager.default.createFile(atPath: path, contents: Data(count: Self.size + (2 << 20)))
    EFITool.run(
      "sgdisk", ["--new=1:2048:+16M", "--typecode=1:ef00", "--partition-guid=1:01020304-0506-0708-090A-0B0C0D0E0F10", path])
    EFITool.run("mkfs.vfat", ["--offset", "2048", path, "\(Self.size >> 10)"])
    var folders: Set<String> = []
    for file in files {
      var folder = ""
      for part in file.path.split(separator: "/").dropLast() {
        folder += "/" + part
        if folders.insert(folder).inserted { EFITool.run("mmd", ["-i", partition, "::" + folder]) }
      }
      let temporary = path + ".file"
      try Data(file.contents).write(to: URL(fileURLWithPath: temporary))
      EFITool.run("mcopy", ["-i", partition, temporary, "::" + file.path])
      try FileManager.default.removeItem(atPath: temporary)
    }
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  var partition: String { "\(path)@@1M" }

  func storage() throws -> RawImage { try RawImage(path: path) }
  func medium(device: UInt8 = 1) throws -> BootMedium {
    BootMedium(storage: try storage(), device: device, function: 1, attachment: .ide(channel: 0, unit: 0))
  }

  /// What fsck.vfat says of the file system; nil: nothing wrong.
  func check() throws -> String? {
    let copy = path + ".part"
    defer { try? FileManager.default.removeItem(atPath: copy) }
    let bytes = try #require(FileManager.default.contents(atPath: path))
    try bytes.subdata(in: Self.start..<Self.start + Self.size).write(to: URL(fileURLWithPath: copy))
    let answer = EFITool.run("fsck.vfat", ["-n", copy], mayFail: true)
    return answer.status == 0 ? nil : answer.output
  }

  func file(_ name: String) throws -> [UInt8] {
    let copy = path + ".out"
    defer { try? FileManager.default.removeItem(atPath: copy) }
    EFITool.run("mcopy", ["-n", "-i", partition, "::" + name, copy])
    return Array(try #require(FileManager.default.contents(atPath: copy)))
  }
}
