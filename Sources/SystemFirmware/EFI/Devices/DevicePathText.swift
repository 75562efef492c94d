import Processor

/// Device paths as text (UEFI specification, section 10.6.1.6), and the protocol for it.
extension DevicePath {
  var text: String { nodes.map(Self.text).joined(separator: "/") }

  static func text(_ node: [UInt8]) -> String {
    func integer(_ offset: Int, _ size: Int) -> UInt64 {
      guard offset + size <= node.count else { return 0 }
      return (0..<size).reversed().reduce(0) { $0 << 8 | UInt64(node[offset + $1]) }
    }
    func hex(_ offset: Int, _ size: Int) -> String { "0x" + String(integer(offset, size), radix: 16, uppercase: true) }
    switch (node[0], node[1]) {
    case (1, 1): return "Pci(\(hex(5, 1)),\(hex(4, 1)))"
    case (1, 3): return "MemoryMapped(\(hex(4, 4)),\(hex(8, 8)),\(hex(16, 8)))"
    case (2, 1):
      return integer(4, 4) == 0x0A03_41D0 ? "PciRoot(\(hex(8, 4)))" : "Acpi(\(hex(4, 4)),\(hex(8, 4)))"
    case (3, 1):
      return "Ata(\(integer(4, 1) == 0 ? "Primary" : "Secondary"),\(integer(5, 1) == 0 ? "Master" : "Slave"),\(hex(6, 2)))"
    case (3, 2): return "Scsi(\(hex(4, 2)),\(hex(6, 2)))"
    case (3, 14): return "Uart(\(integer(8, 8)),\(integer(16, 1)),N,1)"
    case (4, 1):
      let signature = node.count >= 40 ? GUID(bytes: Array(node[24..<40])) : nil
      let name =
        switch integer(41, 1) {
        case 1: "MBR,\(hex(24, 4))"
        case 2: "GPT,\(signature?.text ?? "")"
        default: "0"
        }
      return "HD(\(integer(4, 4)),\(name),\(hex(8, 8)),\(hex(16, 8)))"
    case (4, 2): return "CDROM(\(hex(4, 4)),\(hex(8, 8)),\(hex(16, 8)))"
    case (4, 4): return fileName([node]) ?? ""
    default:
      let data = node.dropFirst(4).map { String(UInt16($0) + 0x100, radix: 16).dropFirst() }.joined()
      return "Path(\(node[0]),\(node[1]),\(data))"
    }
  }
}

extension GUID {
  var text: String {
    func hex(_ value: UInt64, _ width: Int) -> String {
      let digits = String(value, radix: 16, uppercase: true)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let tail = d.byteSwapped
    return
      "\(hex(UInt64(a), 8))-\(hex(UInt64(b), 4))-\(hex(UInt64(c), 4))-\(hex(tail >> 48, 4))-\(hex(tail & 0xFFFF_FFFF_FFFF, 12))"
  }
}

extension SystemFirmware {
  func connectPathText() {
    guard let interface = placeInterface([.nodeToText, .pathToText]) else { return }
    _ = install(.devicePathToText, interface, on: nil)
  }

  /// in0 node or path, in1 display only, in2 shortcuts; returns a string in the pool, or null. This protocol has no This.
  func pathToText(_ call: GuestCall, isNode: Bool) throws(GuestAccessFailure) -> ServiceOutcome {
    var text: String?
    if isNode, call.argument(0) != 0 {
      let header = try call.read(call.argument(0), count: 4)
      let length = Int(header[2]) | Int(header[3]) << 8
      if length >= 4 { text = DevicePath.text(try call.read(call.argument(0), count: length)) }
    } else if call.argument(0) != 0 {
      text = readDevicePath(call.argument(0))?.text
    }
    guard let text else { return .value(0) }
    var w = ByteWriter()
    text.utf16.forEach { w.put($0) }
    w.put(UInt16(0))
    return .value(place(w.bytes) ?? 0)
  }
}
