import Devices
import Foundation
import HostResources
import Loading
import Platform
import Processor
import SystemFirmware
import Testing

/// A machine with the controller that boots Linux inside of the test, which can do things to its disks at any moment.
final class LinuxBench: FirmwareHost, SerialPeer {
  static let folder = ProcessInfo.processInfo.environment["EPICURE_GUEST_CACHE"].flatMap {
    $0.isEmpty ? nil : URL(fileURLWithPath: $0).appendingPathComponent("linux-6.1")
  }
  /// Without guests a test is skipped; where nobody would notice that, it runs and fails. Debug builds would take minutes.
  static var shouldRun: Bool {
    #if DEBUG
      false
    #else
      folder != nil || ProcessInfo.processInfo.environment["CI"] == "true"
    #endif
  }
  static let advice: Comment =
    "skipped: needs a release build (swift test -c release), `make guests`, and EPICURE_GUEST_CACHE set to its folder"

  let machine: Machine
  let scsi: LSI53C895A
  private let root: PCIRoot
  private let uart: UART16550
  private var power: ACPIPowerManagement?
  private var firmware: SystemFirmware?
  private(set) var output: [UInt8] = []
  private var line: [UInt8] = []
  /// Asked at the end of each line of the console.
  var lineEnded: ((String) -> Void)?
  private var isOff = false

  var memory: any GuestMemory { machine.memory }
  var processors: [LogicalProcessor] { machine.processors }
  var text: String { String(decoding: output, as: UTF8.self) }
  /// Comparing the log itself would make a failed expectation print all of it.
  func says(_ part: String) -> Bool { text.contains(part) }
  var end: String { String(decoding: output.suffix(2000), as: UTF8.self) }

  /// A machine that runs `script` and switches itself off.
  init(script: String) throws {
    let folder = try #require(Self.folder, Self.advice)
    machine = try Machine(MachineConfiguration(memorySize: 512 << 20))
    root = try PCIRoot(memory: PhysicalDMA(memory: machine.memory), bus: machine.bus, interrupts: machine.ioSAPIC)
    uart = UART16550(line: machine.ioSAPIC.line(MemoryMap.uartGSI))
    scsi = try LSI53C895A(root: root, device: 3, events: machine.events, clock: machine)
    let power = ACPIPowerManagement(
      clock: machine, events: machine.events, line: machine.ioSAPIC.line(MemoryMap.sciGSI),
      powerOff: { [unowned self] in perform(.powerOff) })
    self.power = power
    func ports(_ first: UInt16, _ count: UInt64) -> Range<UInt64> { UInt64(first)..<UInt64(first) + count }
    try machine.bus.ports.map("serial port", ports(MemoryMap.uartPort, 8), uart)
    try machine.bus.ports.map("ACPI registers", ports(MemoryMap.pm1EventPort, ACPIPowerManagement.size), power)
    uart.peer = self
    let firmware = try SystemFirmware(host: self)
    firmware.pci = root
    self.firmware = firmware
    machine.bus.firmware = { number, processor in firmware.gate(number, processor: processor) }
    let kernel = try KernelImage.load(path: folder.appendingPathComponent("vmlinux.gz").path, limit: 512 << 20)
    var archive = try HostFile.read(folder.appendingPathComponent("initramfs.cpio.gz").path, limit: 64 << 20)
    // The kernel looks for an archive that is not compressed at multiples of four.
    archive += [UInt8](repeating: 0, count: (4 - archive.count % 4) % 4) + Self.archive(script)
    try firmware.boot(kernel: kernel, initrd: archive, commandLine: "console=ttyS0 run=sh_/script")
  }

  /// A cpio archive (newc) with the script.
  private static func archive(_ script: String) -> [UInt8] {
    var bytes: [UInt8] = []
    func add(_ name: String, mode: UInt32, _ contents: [UInt8]) {
      let fields: [UInt32] = [1, mode, 0, 0, 1, 0, UInt32(contents.count), 0, 0, 0, 0, UInt32(name.utf8.count + 1), 0]
      bytes += "070701".utf8
      for field in fields { bytes += String(format: "%08X", field).utf8 }
      bytes += Array(name.utf8) + [0]
      while bytes.count % 4 != 0 { bytes.append(0) }
      bytes += contents
      while bytes.count % 4 != 0 { bytes.append(0) }
    }
    add("script", mode: 0o100755, Array(script.utf8))
    add("TRAILER!!!", mode: 0, [])
    return bytes
  }

  /// Runs to the end; false: it did not come within so many seconds of guest time.
  func run(seconds: UInt64) -> Bool {
    while !isOff {
      switch machine.run(until: seconds * Cycles.perSecond) {
      case .requested: continue
      default: return false
      }
    }
    return true
  }

  func perform(_ action: PowerAction) {
    isOff = true
    machine.stop(1)
  }

  func transmit(_ byte: UInt8) {
    output.append(byte)
    if byte == 10 {
      lineEnded?(String(decoding: line, as: UTF8.self))
      line = []
    } else if byte != 13 {
      line.append(byte)
    }
  }
  func readyToReceive() {}
}
