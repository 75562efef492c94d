/// An entry of `disk`.
public struct DiskConfiguration: Sendable, Equatable, Codable {
  /// Who serves the disk in Xen's host domain.
  public enum Backend: String, Sendable, Codable, CaseIterable {
    /// `phy:`: a block device of the host.
    case physical = "phy"
    /// `file:`: an image, byte for byte.
    case file
    /// `tap:`: an image in a format.
    case tap
    /// `nbd:` and `nbd+unix:`: a Network Block Device.
    case network = "nbd"
  }
  public enum Format: String, Sendable, Codable, CaseIterable { case raw, qcow, qcow2, vhd, vmdk, qed }
  public enum Access: String, Sendable, Codable {
    case readOnly = "r"
    case readWrite = "w"
    /// The user vouches for sharing.
    case shared = "w!"
  }

  public var backend = Backend.file
  /// A path, or an address that begins with `nbd:`; nil: a CD drive without a disc.
  public var target: String?
  public var format = Format.raw
  public var device: VirtualDevice
  public var isOptical = false
  /// The file says `ioemu:`: emulated only, no VBD.
  public var isEmulatedOnly = false
  public var access = Access.readWrite
  /// The domain that serves the disk; nil: domain 0.
  public var backendDomain: String?

  public init(device: VirtualDevice) { self.device = device }

  /// xm's `BACKEND:TARGET,VDEV,MODE[,DOMAIN]`, or xl's `target,format,vdev,access` with `key=value` parts.
  public init(parsing text: String) throws(SettingProblem) {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(\.trimmed)
    // What xl would take for a format is a device only to xm.
    if 3...4 ~= parts.count, !parts.contains(where: { $0.contains("=") }), !parts[1].isEmpty, Format(rawValue: parts[1]) == nil {
      try self.init(traditional: parts)
    } else {
      try self.init(named: text)
    }
    if isOptical { access = .readOnly }
    guard target != nil || isOptical else { throw SettingProblem("the disk \(device) has no file; only a CD drive may be empty") }
  }

  private init(traditional parts: [String]) throws(SettingProblem) {
    var device = parts[1][...]
    let isEmulatedOnly = device.hasPrefix("ioemu:")
    if isEmulatedOnly { device = device.dropFirst(6) }
    let type = device.firstIndex(of: ":").map { device[device.index(after: $0)...] }
    if let colon = device.firstIndex(of: ":") { device = device[..<colon] }
    self.init(device: try VirtualDevice(parsing: String(device)))
    self.isEmulatedOnly = isEmulatedOnly
    switch type {
    case nil, "disk": break
    case "cdrom": isOptical = true
    case let other?: throw SettingProblem("expected cdrom or disk behind \(device):, found '\(other)'")
    }
    access = try Self.access(parts[2])
    if parts.count == 4, !parts[3].isEmpty { backendDomain = parts[3] }
    try setTarget(parts[0])
  }

  private init(named text: String) throws(SettingProblem) {
    var fields = try DiskFields(text)
    guard let name = fields.values.removeValue(forKey: .vdev), !name.isEmpty else {
      throw SettingProblem("the disk has no vdev, like hda")
    }
    self.init(device: try VirtualDevice(parsing: name))
    isOptical = fields.isOptical
    backendDomain = fields.values[.backend]
    if let access = fields.values[.access], !access.isEmpty { self.access = try Self.access(access) }
    // An explicit target= is a path to the last character; a positional one may have xm's prefixes.
    if let path = fields.explicitTarget {
      setPath(path, .file)
    } else {
      try setTarget(fields.values[.target] ?? "")
    }
    if let format = fields.values[.format], !format.isEmpty {
      self.format = try SpecificationText.choice(format)
      if backend == .file && self.format != .raw { backend = .tap }
    }
    switch fields.values[.backendtype] {
    case nil, "", "qdisk": break
    case "phy": backend = .physical
    case "tap": backend = .tap
    case let other?: throw SettingProblem("expected phy, tap or qdisk behind backendtype=, found '\(other)'")
    }
  }

  private static func access(_ text: String) throws(SettingProblem) -> Access {
    switch text {
    case "r", "ro": .readOnly
    case "w", "rw": .readWrite
    case "w!", "rw!": .shared
    default: throw SettingProblem("expected r, w or w! as the mode, found '\(text)'")
    }
  }

  private mutating func setPath(_ path: String, _ backend: Backend) {
    self.backend = backend
    guard !path.isEmpty else { return }
    // As blkdev_uname_to_file() and xl have it: a device's name is below /dev.
    target = backend == .physical && !path.hasPrefix("/") ? "/dev/" + path : path
    if backend == .file && path.hasPrefix("/dev/") { self.backend = .physical }
  }

  /// `phy:sda7`, `file:/images/a`, `tap:qcow2:/images/b`, `nbd:host:port`.
  private mutating func setTarget(_ text: String) throws(SettingProblem) {
    guard let colon = text.firstIndex(of: ":"), !text.hasPrefix("/") else { return setPath(text, .file) }
    let rest = String(text[text.index(after: colon)...])
    switch text[..<colon] {
    case "phy": setPath(rest, .physical)
    case "file":
      setPath(rest, .file)
      backend = .file
    case "tap", "tap2": try setTapTarget(rest)
    case "nbd", "nbd+unix":
      guard !rest.isEmpty else { throw SettingProblem("'\(text)' has no address") }
      (backend, target) = (.network, text)
    case let prefix:
      guard let format = Format(rawValue: String(prefix)) else {
        throw SettingProblem("expected phy:, file:, tap:aio:, tap:qcow2: or nbd: before the file, found '\(prefix):'")
      }
      // xl's deprecated form.
      setPath(rest, format == .raw ? .file : .tap)
      self.format = format
    }
    if target == nil && !isOptical { throw SettingProblem("'\(text)' names no file") }
  }

  private mutating func setTapTarget(_ text: String) throws(SettingProblem) {
    let text = text.hasPrefix("tapdisk:") ? String(text.dropFirst(8)) : text
    guard let colon = text.firstIndex(of: ":") else { throw SettingProblem("expected tap:TYPE:FILE, found 'tap:\(text)'") }
    let type = String(text[..<colon])
    setPath(String(text[text.index(after: colon)...]), .tap)
    switch type {
    // How the host's tool reads the file is no format.
    case "aio", "sync", "ioemu": format = .raw
    default:
      guard let format = Format(rawValue: type) else {
        throw SettingProblem(
          "expected one of aio, sync, \(Format.allCases.map(\.rawValue).joined(separator: ", ")) behind tap:, found '\(type)'")
      }
      self.format = format
    }
  }

  /// xm's name of the file.
  public var uname: String {
    guard let target else { return "" }
    switch backend {
    case .physical: return "phy:" + target
    case .file: return "file:" + target
    case .tap: return "tap:\(format == .raw ? "aio" : format.rawValue):" + target
    case .network: return target
    }
  }
}

/// xl-disk-configuration(5): positional parts fill what is still empty; `target=` takes the rest of the text.
private struct DiskFields {
  enum Key: String, CaseIterable { case target, format, vdev, access, devtype, backend, backendtype, script }

  var values: [Key: String] = [:]
  var explicitTarget: String?
  var isOptical = false

  private static let positional: [Key] = [.target, .format, .vdev, .access]
  /// Flags about the host's caching and trust, which have no meaning here.
  private static let withoutMeaning: Set<String> = ["direct-io-safe", "discard", "no-discard", "trusted", "untrusted"]

  init(_ text: String) throws(SettingProblem) {
    var rest = text[...]
    while !rest.isEmpty {
      rest = rest.drop(while: \.isWhitespace)
      if rest.hasPrefix("target=") {
        guard values[.target]?.isEmpty ?? true else { throw SettingProblem("the target is there twice") }
        explicitTarget = String(rest.dropFirst(7))
        break
      }
      let part = rest.prefix { $0 != "," }
      rest = rest.dropFirst(part.count + 1)
      try take(part.trimmed)
    }
    if let type = values[.devtype], !type.isEmpty {
      guard type == "cdrom" || type == "disk" else { throw SettingProblem("expected cdrom behind devtype=, found '\(type)'") }
      isOptical = isOptical || type == "cdrom"
    }
    if values[.script]?.isEmpty == false { throw SettingProblem("script=: scripts of the host are not run") }
  }

  private mutating func take(_ part: String) throws(SettingProblem) {
    if part == "cdrom" {
      isOptical = true
    } else if Self.withoutMeaning.contains(part) {
      return
    } else if let equals = part.firstIndex(of: "="), !part.hasPrefix("/") {
      guard let key = Key(rawValue: String(part[..<equals])) else {
        throw SettingProblem(
          "a disk has no option '\(part[..<equals])'; the options are \(Key.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      try set(key, part[part.index(after: equals)...].trimmed)
    } else {
      guard let key = Self.positional.first(where: { values[$0] == nil }) else {
        throw SettingProblem("'\(part)' is one part too many")
      }
      try set(key, part)
    }
  }

  private mutating func set(_ key: Key, _ value: String) throws(SettingProblem) {
    guard values.updateValue(value, forKey: key) == nil else { throw SettingProblem("the \(key.rawValue) is there twice") }
  }
}
