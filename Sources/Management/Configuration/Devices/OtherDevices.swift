/// An entry of `vscsi`: `PDEV, VDEV[, DOMAIN]`.
public struct SCSIDeviceConfiguration: Sendable, Equatable, Codable {
  /// `h:c:t:l`, `/dev/sdX`, `sdX`, `stX`, `sgX`, a scsi_id, or the file of an image.
  public var physical: String
  /// Host, channel, target, unit as the guest sees them; nil: the host's whole adapter (`host`).
  public var virtual: SCSIAddress?
  public var backendDomain: String?

  public init(parsing text: String) throws(SettingProblem) {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(\.trimmed)
    guard 2...3 ~= parts.count, !parts[0].isEmpty else {
      throw SettingProblem("expected 'PDEV, VDEV' like '/dev/sdb, 0:0:0:0', found '\(text)'")
    }
    physical = parts[0]
    virtual = parts[1] == "host" ? nil : try SCSIAddress(parsing: parts[1])
    if parts.count == 3, !parts[2].isEmpty { backendDomain = parts[2] }
  }
}

/// `host:channel:target:lun`
public struct SCSIAddress: Sendable, Hashable, Codable, CustomStringConvertible {
  public var host, channel, target, unit: Int

  public init(parsing text: String) throws(SettingProblem) {
    let numbers = text.split(separator: ":", omittingEmptySubsequences: false).compactMap { UInt16($0) }
    guard numbers.count == 4, text.utf8.allSatisfy({ ScriptLexer.isDigit($0) || $0 == UInt8(ascii: ":") }) else {
      throw SettingProblem("expected host:channel:target:lun like 0:0:1:0, found '\(text)'")
    }
    (host, channel, target, unit) = (Int(numbers[0]), Int(numbers[1]), Int(numbers[2]), Int(numbers[3]))
  }

  public var description: String { "\(host):\(channel):\(target):\(unit)" }
}

/// An entry of `vfb`.
public struct FramebufferConfiguration: Sendable, Equatable, Codable {
  public enum Kind: String, Sendable, Codable, CaseIterable { case vnc, sdl }

  public var kind = Kind.sdl
  public var listen = "127.0.0.1"
  /// The port is 5900 more; nil: the domain's number.
  public var display: Int?
  /// Whether any free port will do.
  public var takesUnusedPort = true
  public var password: String?
  public var keymap: String?

  /// `type=vnc` of 2007, and `vnc=1`, `sdl=1` of later versions. Without either it is SDL, as xm had it.
  public init(parsing text: String) throws(SettingProblem) {
    let known: Set = [
      "type", "vnc", "sdl", "vncunused", "vncdisplay", "vnclisten", "vncpasswd", "display", "xauthority", "keymap", "videoram",
      "opengl",
      "serial", "monitor",
    ]
    let options = try SpecificationText.pairs(text, known: known, of: "a vfb").filter { !$0.value.isEmpty }
    if let type = options["type"] {
      kind = try SpecificationText.choice(type)
    } else if let vnc = options["vnc"], try SpecificationText.flag(vnc) {
      kind = .vnc
    }
    if let sdl = options["sdl"], try SpecificationText.flag(sdl), kind == .vnc {
      throw SettingProblem("vnc and sdl exclude each other")
    }
    if let listen = options["vnclisten"] { self.listen = listen }
    if let text = options["vncdisplay"] {
      guard let number = UInt16(text), Int(number) + 5900 < 65536 else {
        throw SettingProblem("expected a display from 0 to 59635 behind vncdisplay=, found '\(text)'")
      }
      display = Int(number)
      takesUnusedPort = false
    }
    if let unused = options["vncunused"] { takesUnusedPort = try SpecificationText.flag(unused) }
    (password, keymap) = (options["vncpasswd"], options["keymap"])
  }
}

/// An entry of `pci`: a device of the host, `[DOMAIN:]BUS:DEVICE.FUNCTION` in hexadecimal digits.
public struct PCIDeviceConfiguration: Sendable, Hashable, Codable, CustomStringConvertible {
  public var domain, bus, device, function: Int

  public init(parsing text: String) throws(SettingProblem) {
    // xm allows commas for both separators.
    let parts = text.split(omittingEmptySubsequences: false) { ":.,".contains($0) }
    let separators = text.filter { ":.,".contains($0) }
    let numbers = parts.compactMap { $0.allSatisfy(\.isHexDigit) ? UInt16($0, radix: 16).map(Int.init) : nil }
    guard 3...4 ~= numbers.count, numbers.count == parts.count, separators.last != ":", !separators.dropLast().contains("."),
      numbers[numbers.count - 3] < 256, numbers[numbers.count - 2] < 32, numbers[numbers.count - 1] < 8
    else { throw SettingProblem("expected a PCI device like 00:1d.0, found '\(text)'") }
    domain = numbers.count == 4 ? numbers[0] : 0
    (bus, device, function) = (numbers[numbers.count - 3], numbers[numbers.count - 2], numbers[numbers.count - 1])
  }

  public var description: String {
    func hex(_ number: Int, _ digits: Int) -> String {
      let text = String(number, radix: 16)
      return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
    return "\(hex(domain, 4)):\(hex(bus, 2)):\(hex(device, 2)).\(function)"
  }
}
