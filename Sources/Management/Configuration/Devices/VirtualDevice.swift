/// The name that a guest has for a disk, and its number in xenstore (xen-vbd-interface(7)).
public struct VirtualDevice: Sendable, Hashable, Codable, CustomStringConvertible {
  public enum Bus: String, Sendable, Codable { case ide, scsi, xen }

  public var bus: Bus
  /// 0 for hda, 1 for hdb.
  public var disk: Int
  /// 0 is the whole disk.
  public var partition: Int
  /// The device number of the VBD.
  public var number: UInt32
  /// As the file has it, without `/dev/`.
  public var name: String

  public var description: String { name }

  /// `hda`, `sda1`, `xvdb`, `/dev/xvda`, xl's `d0p1`, or a number like `0x301`.
  public init(parsing text: String) throws(SettingProblem) {
    let name = text.hasPrefix("/dev/") ? String(text.dropFirst(5)) : text
    guard let device = Self.named(name) ?? Self.numbered(name) else {
      throw SettingProblem("expected a device like hda, sda1 or xvda, found '\(text)'")
    }
    self = device
  }

  private init(_ bus: Bus, disk: Int, partition: Int, number: Int, name: String) {
    (self.bus, self.disk, self.partition, self.number, self.name) = (bus, disk, partition, UInt32(number), name)
  }

  /// Linux's major numbers for disks beyond those of the interface's document; xend has the same tables.
  private static let scsiMajors = [8, 65, 66, 67, 68, 69, 70, 71, 128, 129, 130, 131, 132, 133, 134, 135]
  private static let ideMajors = [3, 22, 33, 34, 56, 57, 88, 89, 90, 91]

  private static func named(_ name: String) -> VirtualDevice? {
    for (prefix, bus) in [("xvd", Bus.xen), ("sd", .scsi), ("hd", .ide)] where name.hasPrefix(prefix) {
      let letters = name.dropFirst(prefix.count).prefix { "a"..."z" ~= $0 }
      guard let disk = index(letters), let partition = partition(name.dropFirst(prefix.count + letters.count)) else { return nil }
      switch bus {
      case .ide:
        guard disk < 20, partition < 64 else { return nil }
        return VirtualDevice(
          bus, disk: disk, partition: partition, number: ideMajors[disk / 2] << 8 | (disk % 2) << 6 | partition, name: name)
      case .scsi:
        guard disk < 256, partition < 16 else { return nil }
        return VirtualDevice(
          bus, disk: disk, partition: partition, number: scsiMajors[disk / 16] << 8 | (disk % 16) << 4 | partition, name: name)
      case .xen: return xen(disk, partition, name)
      }
    }
    if name.hasPrefix("d") {
      let parts = name.dropFirst().split(separator: "p", omittingEmptySubsequences: false)
      guard 1...2 ~= parts.count, let disk = digits(parts[0]), let partition = parts.count == 2 ? digits(parts[1]) : 0 else {
        return nil
      }
      return xen(disk, partition, name)
    }
    return nil
  }

  private static func xen(_ disk: Int, _ partition: Int, _ name: String) -> VirtualDevice? {
    guard disk < 1 << 20, partition < 256 else { return nil }
    let number = disk < 16 && partition < 16 ? 202 << 8 | disk << 4 | partition : 1 << 28 | disk << 8 | partition
    return VirtualDevice(.xen, disk: disk, partition: partition, number: number, name: name)
  }

  private static func numbered(_ name: String) -> VirtualDevice? {
    let number = name.hasPrefix("0x") ? Int(name.dropFirst(2), radix: 16) : digits(name[...])
    guard let number, 0..<(2 << 28) ~= number, name.first != "-", name.first != "+" else { return nil }
    if number >= 1 << 28 {
      return VirtualDevice(.xen, disk: number >> 8 & 0xF_FFFF, partition: number & 0xFF, number: number, name: name)
    }
    let (major, minor) = (number >> 8, number & 0xFF)
    if major == 202 { return VirtualDevice(.xen, disk: minor >> 4, partition: minor & 15, number: number, name: name) }
    if let row = scsiMajors.firstIndex(of: major) {
      return VirtualDevice(.scsi, disk: row * 16 + (minor >> 4), partition: minor & 15, number: number, name: name)
    }
    if let row = ideMajors.firstIndex(of: major), minor < 128 {
      return VirtualDevice(.ide, disk: row * 2 + (minor >> 6), partition: minor & 63, number: number, name: name)
    }
    return nil
  }

  /// a is 0, z is 25, aa is 26.
  private static func index(_ letters: Substring) -> Int? {
    guard 1...4 ~= letters.utf8.count else { return nil }
    return letters.utf8.reduce(0) { $0 * 26 + Int($1 - UInt8(ascii: "a")) + 1 } - 1
  }

  private static func partition(_ text: Substring) -> Int? {
    if text.isEmpty { return 0 }
    return text.first == "0" ? nil : digits(text)
  }

  private static func digits(_ text: Substring) -> Int? {
    guard 1...9 ~= text.utf8.count, text.utf8.allSatisfy(ScriptLexer.isDigit) else { return nil }
    return Int(text)
  }
}
