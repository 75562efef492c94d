/// What `--disk` says: a file or NBD address, and options behind commas, in the manner of QEMU and xm.
public struct DiskSpecification: Sendable, Equatable {
  /// Where the disk is plugged in.
  public enum Bus: String, Sendable, CaseIterable {
    case ide, scsi, vbd, vscsi, virtio
    /// A unit of a virtio SCSI host.
    case virtioSCSI = "virtio-scsi"
  }
  /// What the guest's flush commands are worth.
  public enum Cache: String, Sendable, CaseIterable {
    /// A write is done when the host's page cache has it; flushes bring it to the medium.
    case writeback
    /// The drive's write cache is off until the guest switches it on.
    case writethrough
    /// Flushes are answered and not done: for disks that nobody will miss.
    case unsafe
  }
  /// Writes go elsewhere.
  public enum Overlay: Sendable, Equatable {
    case none
    /// They are forgotten at the end.
    case temporary
    /// They are kept in this file.
    case file(String)
  }

  /// A logical unit as SCSI systems name it.
  public struct UnitAddress: Sendable, Equatable {
    public var host, channel, target, unit: Int
    public init(host: Int, channel: Int, target: Int, unit: Int) {
      (self.host, self.channel, self.target, self.unit) = (host, channel, target, unit)
    }
  }

  /// A path, or an address that begins with `nbd:` or `nbd+unix:`.
  public var file: String
  /// Nil: nobody said; IDE as long as there is room, then SCSI.
  public var bus: Bus?
  /// Nil: to be found out.
  public var format: ImageFormat?
  public var isReadOnly = false
  public var isCD = false
  public var overlay = Overlay.none
  public var cache = Cache.writeback
  public var serial: String?
  /// Xen's number of a virtual block device; nil: the next one.
  public var deviceNumber: Int?
  /// Where a guest's paravirtualized SCSI host shows it; nil: the next target.
  public var unitAddress: UnitAddress?
  /// Its controller is a physical one, which the guest of a domain has for itself.
  public var isDirect = false
  /// Of a virtio device.
  public var interface: VirtioInterface?
  /// The other half of a mirror.
  public var mirror: String?
  /// Where the mirror's record is; nil: beside the first half.
  public var record: String?
  /// More ways to the same volume.
  public var paths: [String] = []
  public var policy: MultipathStorage.Policy?
  /// Seconds for which a request waits that no path serves.
  public var queueSeconds: Int?
  /// A partition of the volume in the place of all of it, as its table counts.
  public var partition: Int?

  public struct Failure: Error, Equatable, CustomStringConvertible, Sendable {
    public var description: String
    init(_ text: String) { description = text }
  }

  public init(file: String) { self.file = file }

  /// A comma in a file's name is written twice.
  public init(parsing text: String) throws(Failure) {
    var parts = Self.split(text)
    guard var name = parts.first, !name.isEmpty else { throw Failure("no file is named") }
    parts.removeFirst()
    if name.hasPrefix("file=") { name.removeFirst(5) }
    guard !name.isEmpty else { throw Failure("no file is named") }
    self.init(file: name)
    var seen: Set<String> = []
    for part in parts {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let key = pair[0]
      guard seen.insert(key).inserted || key == "path" else { throw Failure("\"\(key)\" is there twice") }
      try set(key, pair.count > 1 ? pair[1] : nil)
    }
    try check()
  }

  private static func split(_ text: String) -> [String] {
    var parts = [""]
    var characters = text[...]
    while let character = characters.popFirst() {
      if character != "," {
        parts[parts.count - 1].append(character)
      } else if characters.first == "," {
        characters.removeFirst()
        parts[parts.count - 1].append(",")
      } else {
        parts.append("")
      }
    }
    return parts
  }

  private mutating func set(_ key: String, _ value: String?) throws(Failure) {
    switch key {
    case "bus", "if": bus = try Self.choice(key, value)
    case "format": format = try Self.choice(key, value)
    case "cache": cache = try Self.choice(key, value)
    case "readonly", "ro": isReadOnly = try Self.flag(key, value)
    case "cd": isCD = try Self.flag(key, value)
    case "media":
      switch value {
      case "cdrom": isCD = true
      case "disk": isCD = false
      default: throw Failure("media is disk or cdrom")
      }
    case "snapshot":
      if try Self.flag(key, value) {
        guard overlay == .none else { throw Failure("snapshot and overlay exclude each other") }
        overlay = .temporary
      }
    case "overlay":
      guard let value, !value.isEmpty else { throw Failure("overlay needs a file: overlay=FILE") }
      guard overlay == .none else { throw Failure("snapshot and overlay exclude each other") }
      overlay = .file(value)
    case "serial":
      guard let value, (1...20).contains(value.utf8.count), value.utf8.allSatisfy({ 0x20...0x7E ~= $0 }) else {
        throw Failure("a serial number is 1 to 20 ASCII characters")
      }
      serial = value
    case "direct": isDirect = try Self.flag(key, value)
    case "transport":
      guard let known = VirtioInterface.named(value) else { throw Failure(VirtioInterface.choices) }
      interface = known
    case "mirror": mirror = try Self.file(key, value)
    case "record": record = try Self.file(key, value)
    case "path": paths.append(try Self.file(key, value))
    case "policy": policy = try Self.choice(key, value)
    case "queue": queueSeconds = try Self.number(key, value, 1...3600)
    case "partition": partition = try Self.number(key, value, 1...1024)
    case "": throw Failure("an option is empty; a comma in a file's name is written twice")
    default:
      throw Failure(
        "there is no option \"\(key)\"; the options are bus, format, readonly, cd, snapshot, overlay, cache, serial, direct, transport, partition, "
          + "mirror, record, path, policy and queue"
          + " (a comma in a file's name is written twice)")
    }
  }

  private static func choice<T: RawRepresentable & CaseIterable>(_ key: String, _ value: String?) throws(Failure) -> T
  where T.RawValue == String {
    if let value, let known = T(rawValue: value) { return known }
    let list = T.allCases.map(\.rawValue).joined(separator: ", ")
    throw Failure((value.map { "\(key)=\($0): " } ?? "") + "\(key) is one of \(list)")
  }

  private static func flag(_ key: String, _ value: String?) throws(Failure) -> Bool {
    switch value {
    case nil, "on", "yes", "true": true
    case "off", "no", "false": false
    default: throw Failure("\(key) is on or off")
    }
  }

  private static func file(_ key: String, _ value: String?) throws(Failure) -> String {
    guard let value, !value.isEmpty else { throw Failure("\(key) needs a file: \(key)=FILE") }
    return value
  }

  private static func number(_ key: String, _ value: String?, _ range: ClosedRange<Int>) throws(Failure) -> Int {
    guard let number = value.flatMap({ Int($0) }), range ~= number else {
      throw Failure("\(key) is a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  private mutating func check() throws(Failure) {
    if case .file = overlay, mirror != nil || !paths.isEmpty || partition != nil {
      throw Failure("an overlay that is kept lies on one file, not on a partition, a mirror or several paths; snapshot=on does")
    }
    if mirror == nil && record != nil { throw Failure("record is an option of mirror=FILE") }
    if paths.isEmpty && (policy != nil || queueSeconds != nil) { throw Failure("policy and queue are options of path=FILE") }
    if isCD {
      guard overlay == .none else { throw Failure("nothing is written to a CD: it has no snapshot or overlay") }
      isReadOnly = true
    }
    if isReadOnly && overlay != .none { throw Failure("readonly, and snapshot or overlay, exclude each other") }
    if isDirect && bus != .scsi { throw Failure("direct is for bus=scsi: it is the controller that a domain has for itself") }
    if interface != nil && bus != .virtio && bus != .virtioSCSI {
      throw Failure("transport is for bus=virtio and bus=virtio-scsi")
    }
    if isRemote && format != nil && format != .raw {
      throw Failure("the server of an NBD address has the format: only raw is left")
    }
  }

  public var isRemote: Bool { Self.isRemote(file) }
  static func isRemote(_ name: String) -> Bool { ["nbd:", "nbd+unix:"].contains { name.hasPrefix($0) } }

  /// Gives relative names of files another beginning.
  public mutating func resolve(_ name: (String) -> String) {
    func resolved(_ text: String) -> String { Self.isRemote(text) ? text : name(text) }
    file = resolved(file)
    mirror = mirror.map(resolved)
    record = record.map(resolved)
    paths = paths.map(resolved)
    if case .file(let path) = overlay { overlay = .file(resolved(path)) }
  }
}
