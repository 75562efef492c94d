import Foundation
import Loading
import Platform
import Processor
import SystemFirmware
import Testing

/// A machine whose firmware is called the way an operating system calls it: registers, memory, gates.
final class FirmwareBench: FirmwareHost {
  let machine: Machine
  private(set) var firmware: SystemFirmware! = nil
  var actions: [PowerAction] = []

  var memory: any GuestMemory { machine.memory }
  var processors: [LogicalProcessor] { machine.processors }
  var processor: LogicalProcessor { machine.processors[0] }
  private var state: State { processor.state }

  /// Scratch memory for arguments.
  static let scratch: UInt64 = 0x200_0000

  /// Boots a kernel of one bundle.
  init(
    memorySize: UInt64 = 256 << 20, kernel: [UInt8] = TestImage().bytes, initrd: [UInt8]? = nil, commandLine: String = ""
  ) throws {
    machine = try Machine(MachineConfiguration(memorySize: memorySize))
    firmware = try SystemFirmware(host: self)
    let image = try KernelImage.load(bytes: kernel, file: "kernel", limit: memorySize)
    try firmware.boot(kernel: image, initrd: initrd, commandLine: commandLine)
    #expect(firmware.gate(Gate.powerOn, processor: processor) == .proceed)
  }

  func perform(_ action: PowerAction) { actions.append(action) }

  // MARK: Calls

  struct Answer: Equatable {
    var status: Int64
    var r9: UInt64
    var r10: UInt64
    var r11: UInt64
  }

  private func answer() -> Answer {
    Answer(status: Int64(bitPattern: state.gr[8]), r9: state.gr[9], r10: state.gr[10], r11: state.gr[11])
  }

  private func setStacked(_ arguments: [UInt64]) {
    state.pointee.sof = 8
    for n in 0..<8 { state.gr[32 + n] = n < arguments.count ? arguments[n] : 0 }
  }

  /// Values that a handler must not take for arguments.
  private func spoil() { for n in 8...11 { state.gr[n] = 0xDEAD_0000 + UInt64(n) } }

  /// PAL procedures 256 to 511 use the stacked convention, the others the static one (Volume 2, section 11.10.1).
  @discardableResult
  func pal(_ index: UInt64, _ a: UInt64 = 0, _ b: UInt64 = 0, _ c: UInt64 = 0) -> Answer {
    spoil()
    state.gr[28] = index
    if index & 0x100 != 0 {
      setStacked([index, a, b, c])
      (state.gr[29], state.gr[30], state.gr[31]) = (0xBAD, 0xBAD, 0xBAD)
    } else {
      setStacked([0xBAD, 0xBAD, 0xBAD, 0xBAD])
      (state.gr[29], state.gr[30], state.gr[31]) = (a, b, c)
    }
    outcome = firmware.gate(Gate.pal, processor: processor)
    return answer()
  }
  /// What followed the last call.
  var outcome = GateOutcome.proceed

  @discardableResult
  func sal(_ arguments: UInt64...) -> Answer {
    spoil()
    setStacked(arguments)
    outcome = firmware.gate(Gate.sal, processor: processor)
    return answer()
  }

  @discardableResult
  func efi(_ service: UInt64, _ arguments: UInt64...) -> UInt64 {
    spoil()
    setStacked(arguments)
    outcome = firmware.gate(Gate.runtimeService + service, processor: processor)
    return state.gr[8]
  }

  // MARK: Memory

  func load<T: FixedWidthInteger>(_ address: UInt64, _: T.Type = T.self) throws -> T {
    try #require(memory.load(address, as: T.self), "0x\(String(address, radix: 16)) is not in memory")
  }
  func u64(_ address: UInt64) throws -> UInt64 { try load(address) }
  func bytes(_ address: UInt64, _ count: Int) throws -> [UInt8] {
    try #require(memory.read(address, count: count), "0x\(String(address, radix: 16)) is not in memory")
  }
  func string(_ address: UInt64, _ count: Int) throws -> String {
    String(decoding: try bytes(address, count).prefix { $0 != 0 }, as: UTF8.self)
  }

  // MARK: What the boot protocol hands over

  /// struct ia64_boot_param, whose address is in GR28 (the reset code moves it there from GR14).
  var parameters: UInt64 { 0x1000 }
  func systemTable() throws -> UInt64 { try u64(parameters + 8) }

  /// Address of a table that the EFI configuration table names.
  func configurationTable(_ guid: [UInt8]) throws -> UInt64 {
    let system = try systemTable()
    let table = try u64(system + 112)
    for entry in 0..<(try u64(system + 104)) where try bytes(table + 24 * entry, 16) == guid {
      return try u64(table + 24 * entry + 16)
    }
    return try #require(nil, "no such configuration table")
  }

  /// The EFI memory map.
  func memoryMap() throws -> [Descriptor] {
    let (map, size, stride) = (try u64(parameters + 16), try u64(parameters + 24), try u64(parameters + 32))
    #expect(size % stride == 0)
    #expect(stride >= 40)
    return try Swift.stride(from: 0, to: size, by: UInt64.Stride(stride)).map { offset in
      Descriptor(
        type: try load(map + offset), start: try u64(map + offset + 8), virtual: try u64(map + offset + 16),
        pages: try u64(map + offset + 24), attribute: try u64(map + offset + 32), address: map + offset)
    }
  }

  struct Descriptor {
    var type: UInt32
    var start: UInt64
    var virtual: UInt64
    var pages: UInt64
    var attribute: UInt64
    /// Where the descriptor is.
    var address: UInt64
    var end: UInt64 { start + pages << 12 }
  }
}

/// GUIDs as the EFI and SAL specifications write them, in memory order.
enum TestGUID {
  static let acpi20: [UInt8] = [
    0x71, 0xE8, 0x68, 0x88, 0xF1, 0xE4, 0xD3, 0x11, 0xBC, 0x22, 0x00, 0x80, 0xC7, 0x3C, 0x88, 0x81,
  ]
  static let sal: [UInt8] = [0x32, 0x2D, 0x9D, 0xEB, 0x88, 0x2D, 0xD3, 0x11, 0x9A, 0x16, 0x00, 0x90, 0x27, 0x3F, 0xC1, 0x4D]
  static let smbios: [UInt8] = [0x31, 0x2D, 0x9D, 0xEB, 0x88, 0x2D, 0xD3, 0x11, 0x9A, 0x16, 0x00, 0x90, 0x27, 0x3F, 0xC1, 0x4D]
  static let pcdp: [UInt8] = [0x8D, 0x93, 0x51, 0xF9, 0x0B, 0x62, 0xEF, 0x42, 0x82, 0x79, 0xA8, 0x4B, 0x79, 0x61, 0x78, 0x98]
  static let globalVariable: [UInt8] = [
    0x61, 0xDF, 0xE4, 0x8B, 0xCA, 0x93, 0xD2, 0x11, 0xAA, 0x0D, 0x00, 0xE0, 0x98, 0x03, 0x2B, 0x8C,
  ]
}

/// A small ELF file, every field of which a test can spoil.
struct TestImage {
  struct Segment {
    var type: UInt32 = 1
    var flags: UInt32 = 7
    var address: UInt64 = 0x100_0000
    var offset: UInt64?
    var fileSize: UInt64?
    var memorySize: UInt64?
    /// `break.m 0` and stops.
    var contents = [UInt8](repeating: 0, count: 64)
  }
  var elfClass: UInt8 = 2
  var byteOrder: UInt8 = 1
  var type: UInt16 = 2
  var machine: UInt16 = 50
  var entry: UInt64 = 0x100_0000
  var headerOffset: UInt64 = 64
  var headerSize: UInt16 = 56
  var headerCount: UInt16?
  var segments = [Segment()]

  var bytes: [UInt8] {
    var image: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, elfClass, byteOrder, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    func put<T: FixedWidthInteger>(_ value: T) { withUnsafeBytes(of: value.littleEndian) { image.append(contentsOf: $0) } }
    put(type)
    put(machine)
    put(UInt32(1))
    put(entry)
    put(headerOffset)
    put(UInt64(0))
    put(UInt32(0x10))
    for value: UInt16 in [64, headerSize, headerCount ?? UInt16(segments.count), 64, 0, 0] { put(value) }
    var position = UInt64(64 + 56 * segments.count)
    for segment in segments {
      put(segment.type)
      put(segment.flags)
      put(segment.offset ?? position)
      put(segment.address)
      put(segment.address)
      put(segment.fileSize ?? UInt64(segment.contents.count))
      put(segment.memorySize ?? segment.fileSize ?? UInt64(segment.contents.count))
      put(UInt64(16))
      position += UInt64(segment.contents.count)
    }
    for segment in segments { image += segment.contents }
    return image
  }
}

/// A deterministic source of bits (Steele, Lea and Flood's SplitMix64).
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}
