/// A device path: nodes of type, subtype, length and data (EFI 1.10, chapter 8). The end node is not among them.
struct DevicePath: Sendable, Hashable, Codable {
  var nodes: [[UInt8]] = []

  static let end: [UInt8] = [0x7F, 0xFF, 4, 0]
  /// With the end node.
  var bytes: [UInt8] { nodes.flatMap { $0 } + Self.end }

  init(_ nodes: [[UInt8]] = []) { self.nodes = nodes }

  /// Reads a path with its end; nil if it does not end within `bytes` or a length makes no sense.
  init?(parsing bytes: some RandomAccessCollection<UInt8>) {
    let bytes = Array(bytes)
    var position = 0
    while position + 4 <= bytes.count {
      if bytes[position] & 0x7F == 0x7F, bytes[position + 1] == 0xFF { return }
      let length = Int(bytes[position + 2]) | Int(bytes[position + 3]) << 8
      guard length >= 4, position + length <= bytes.count, nodes.count < 256 else { return nil }
      nodes.append(Array(bytes[position..<position + length]))
      position += length
    }
    return nil
  }

  static func + (path: DevicePath, node: [UInt8]) -> DevicePath { DevicePath(path.nodes + [node]) }

  private static func node(_ type: UInt8, _ subtype: UInt8, _ fill: (inout ByteWriter) -> Void) -> [UInt8] {
    var w = ByteWriter()
    w.put(type)
    w.put(subtype)
    w.put(UInt16(0))
    fill(&w)
    w.set(UInt16(w.count), at: 2)
    return w.bytes
  }

  // MARK: Nodes

  /// ACPI(PNP0A03,0): the root of the PCI bus.
  static func pciRoot(_ number: UInt32 = 0) -> [UInt8] {
    node(2, 1) {
      $0.put(UInt32(0x0A03_41D0))
      $0.put(number)
    }
  }
  static func pci(device: UInt8, function: UInt8) -> [UInt8] {
    node(1, 1) {
      $0.put(function)
      $0.put(device)
    }
  }
  static func atapi(channel: UInt8, unit: UInt8) -> [UInt8] {
    node(3, 1) {
      $0.put(channel)
      $0.put(unit)
      $0.put(UInt16(0))
    }
  }
  static func scsi(target: UInt16, lun: UInt16) -> [UInt8] {
    node(3, 2) {
      $0.put(target)
      $0.put(lun)
    }
  }
  /// `signature`: 16 bytes; kind 1 the MBR's serial number, 2 a GUID. `format`: 1 MBR, 2 GPT.
  static func hardDrive(
    partition: UInt32, start: UInt64, size: UInt64, signature: [UInt8], format: UInt8, signatureKind: UInt8
  ) -> [UInt8] {
    node(4, 1) {
      $0.put(partition)
      $0.put(start)
      $0.put(size)
      $0.put(bytes: signature)
      $0.put(format)
      $0.put(signatureKind)
    }
  }
  static func cdrom(entry: UInt32, start: UInt64, size: UInt64) -> [UInt8] {
    node(4, 2) {
      $0.put(entry)
      $0.put(start)
      $0.put(size)
    }
  }
  static func file(_ path: String) -> [UInt8] {
    node(4, 4) {
      for unit in path.utf16.prefix(16_000) { $0.put(unit) }
      $0.put(UInt16(0))
    }
  }
  /// Where an image has been loaded from memory.
  static func memory(_ range: Range<UInt64>, type: EFIMemoryType) -> [UInt8] {
    node(1, 3) {
      $0.put(type.rawValue)
      $0.put(range.lowerBound)
      $0.put(range.upperBound)
    }
  }

  /// The file that the last nodes name, their parts joined by backslashes; nil if there are none.
  static func fileName(_ nodes: some Collection<[UInt8]>) -> String? {
    var units: [UInt16] = []
    guard !nodes.isEmpty else { return nil }
    for node in nodes {
      guard node[0] == 4, node[1] == 4 else { return nil }
      let text = stride(from: 4, to: node.count - 1, by: 2).map { UInt16(node[$0]) | UInt16(node[$0 + 1]) << 8 }.prefix { $0 != 0 }
      if let last = units.last, last != 0x5C, text.first != 0x5C { units.append(0x5C) }
      units += text
    }
    return String(decoding: units, as: UTF16.self)
  }
}

extension SystemFirmware {
  /// The path at a physical address of the guest; nil if there is none.
  func readDevicePath(_ pointer: UInt64) -> DevicePath? {
    let pointer = pointer & ~(1 << 63)
    // Up to 64 KiB, or the end of memory.
    guard let end = host.memory.ranges.first(where: { $0.contains(pointer) })?.upperBound else { return nil }
    var path = DevicePath()
    var position = pointer
    while position + 4 <= end, position - pointer < 0x1_0000, path.nodes.count < 256,
      let header = host.memory.read(position, count: 4)
    {
      if header[0] & 0x7F == 0x7F, header[1] == 0xFF { return path }
      let length = Int(header[2]) | Int(header[3]) << 8
      guard length >= 4, let node = host.memory.read(position, count: length) else { return nil }
      path.nodes.append(node)
      position += UInt64(length)
    }
    return nil
  }
}
