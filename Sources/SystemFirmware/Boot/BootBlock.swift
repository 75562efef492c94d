import Platform
import Processor

/// What a boot loader leaves in low memory for a Linux kernel: parameter block, command line, EFI memory map.
struct BootBlock {
  /// The first 64 KiB of memory are the loader's data. Page 0 stays empty.
  static let region: Range<UInt64> = 0..<0x1_0000
  static let parameters: UInt64 = 0x1000
  static let commandLine: UInt64 = 0x2000
  static let memoryMap: UInt64 = 0x4000
  static let maximumCommandLine = Int(memoryMap - commandLine) - 1

  var systemTable: UInt64
  var softwareAssist: UInt64
  var initrd: Range<UInt64>?
  var map: [EFIMemoryDescriptor]

  /// struct ia64_boot_param of the Linux/ia64 boot protocol.
  var parameterBytes: [UInt8] {
    var w = ByteWriter()
    w.put(Self.commandLine)
    w.put(systemTable)
    w.put(Self.memoryMap)
    w.put(UInt64(map.count * EFIMemoryDescriptor.stride))
    w.put(UInt64(EFIMemoryDescriptor.stride))
    w.put(UInt32(EFIMemoryDescriptor.version))
    w.put(UInt16(80))  // console: columns, rows, cursor
    w.put(UInt16(25))
    w.put(UInt16(0))
    w.put(UInt16(24))
    w.align(8)
    w.put(softwareAssist)
    w.put(initrd?.lowerBound ?? 0)
    w.put(initrd.map { $0.upperBound - $0.lowerBound } ?? 0)
    return w.bytes
  }

  func write(to memory: any GuestMemory, commandLine text: String) {
    memory.write(Self.parameters, parameterBytes)
    memory.write(Self.commandLine, Array(text.utf8.prefix(Self.maximumCommandLine)) + [0])
    memory.write(Self.memoryMap, map.flatMap(\.bytes))
  }
}
