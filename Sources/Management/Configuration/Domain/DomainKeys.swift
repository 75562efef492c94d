/// Every key that a configuration may have. `Documentation/DomainConfiguration.md` has the same list, with meanings and defaults.
extension DomainKey {
  static let all: [String: DomainKey] = {
    let keys = [identity, boot, resources, devices, ends, server, withoutMeaning].joined()
    return Dictionary(uniqueKeysWithValues: keys.map { ($0.name, $0) })
  }()

  private init(_ name: String, _ kind: Kind) { self.init(name: name, kind: kind) }

  private static let identity = [
    DomainKey("name", .text { draft, text in draft.configuration.name = try checkedName(text) }),
    DomainKey("uuid", .text { draft, text in draft.configuration.uuid = try checkedUUID(text) }),
    DomainKey("builder", .text { draft, text in draft.configuration.kind = try guestKind(text) }),
    DomainKey("type", .text { draft, text in draft.configuration.kind = try SpecificationText.choice(text) }),
  ]

  private static let boot = [
    DomainKey("kernel", .text { draft, text in draft.kernel = text.nonEmpty }),
    DomainKey("loader", .text { draft, text in draft.loader = text.nonEmpty }),
    DomainKey("ramdisk", .text { draft, text in draft.configuration.ramdisk = text.nonEmpty }),
    DomainKey("root", .text { draft, text in draft.root = text }),
    DomainKey("extra", .text { draft, text in draft.extra = text }),
    DomainKey("cmdline", .text { draft, text in draft.commandLine = text }),
    DomainKey("ip", .text { draft, text in draft.network.ip = text }),
    DomainKey("gateway", .text { draft, text in draft.network.gateway = text }),
    DomainKey("netmask", .text { draft, text in draft.network.netmask = text }),
    DomainKey("hostname", .text { draft, text in draft.network.hostname = text }),
    DomainKey("interface", .text { draft, text in draft.network.interface = text }),
    DomainKey("dhcp", .text { draft, text in draft.network.dhcp = text }),
    DomainKey("nfs_server", .text { draft, text in draft.nfsServer = text.nonEmpty }),
    DomainKey("nfs_root", .text { draft, text in draft.nfsRoot = text.nonEmpty }),
    DomainKey("bootloader", .text { draft, text in draft.configuration.bootloader = text.nonEmpty }),
    DomainKey("bootargs", .text { draft, text in draft.configuration.bootloaderArguments = text.nonEmpty }),
    DomainKey("boot", .text { draft, text in draft.configuration.bootOrder = try bootOrder(text) }),
    DomainKey("epicure_append", .text { draft, text in draft.directKernelArguments = text.nonEmpty }),
    DomainKey("epicure_nvram", .text { draft, text in draft.configuration.firmwareVariables = text.nonEmpty }),
    DomainKey("epicure_system_map", .text { draft, text in draft.configuration.systemMap = text.nonEmpty }),
  ]

  private static let resources = [
    DomainKey("memory", .integer(DomainConfiguration.memoryRange) { draft, number in draft.configuration.memory = number }),
    DomainKey("maxmem", .integer(DomainConfiguration.memoryRange) { draft, number in draft.maximumMemory = number }),
    DomainKey(
      "vcpus", .integer(DomainConfiguration.processorRange) { draft, number in draft.configuration.virtualProcessors = number }),
    DomainKey("maxvcpus", .integer(DomainConfiguration.processorRange) { draft, number in draft.maximumProcessors = number }),
    DomainKey("vcpu_avail", .other { draft, value in draft.online = try mask64(value) }),
    DomainKey("cpu", .integer(-1...63) { draft, number in draft.firstProcessor = number < 0 ? nil : number }),
    DomainKey("cpus", .other { draft, value in try setMasks(&draft, value) }),
    DomainKey("cpu_weight", .integer(DomainConfiguration.weightRange) { draft, number in draft.configuration.weight = number }),
    DomainKey("cpu_cap", .integer(0...6400) { draft, number in draft.configuration.cap = number }),
    DomainKey(
      "vhpt", .integer(0...DomainConfiguration.vhptRange.upperBound) { draft, number in draft.configuration.vhpt = number }),
    DomainKey("guest_os_type", .text { draft, text in draft.configuration.guestSystem = try SpecificationText.choice(text) }),
  ]

  private static let devices = [
    DomainKey("disk", .list { draft, text in draft.configuration.disks.append(try entry(text, DiskConfiguration.init(parsing:))) }),
    DomainKey(
      "vif", .list { draft, text in draft.configuration.interfaces.append(try entry(text, InterfaceConfiguration.init(parsing:))) }),
    DomainKey(
      "vscsi",
      .list { draft, text in draft.configuration.scsiDevices.append(try entry(text, SCSIDeviceConfiguration.init(parsing:))) }),
    DomainKey(
      "vfb",
      .list { draft, text in draft.configuration.framebuffers.append(try entry(text, FramebufferConfiguration.init(parsing:))) }),
    DomainKey("pci", .list { draft, text in draft.configuration.pciDevices.append(try PCIDeviceConfiguration(parsing: text)) }),
    DomainKey("stdvga", .flag { draft, flag in draft.configuration.screen.hasAdapter = flag }),
    DomainKey("vnc", .flag { draft, flag in draft.configuration.screen.isShown = flag }),
    DomainKey("vnclisten", .text { draft, text in draft.configuration.screen.listen = text.nonEmpty ?? "127.0.0.1" }),
    DomainKey("vncdisplay", .integer(0...59635) { draft, number in draft.configuration.screen.display = number }),
    DomainKey("vncunused", .flag { draft, flag in draft.configuration.screen.takesUnusedDisplay = flag }),
    DomainKey("vncpasswd", .text { draft, text in draft.configuration.screen.password = text.nonEmpty }),
    DomainKey("serial", .text { draft, text in draft.configuration.serial = try serialPort(text) }),
    DomainKey("acpi", .flag { draft, flag in draft.configuration.acpi = flag }),
    DomainKey("apic", .flag { draft, flag in draft.configuration.apic = flag }),
    DomainKey("localtime", .flag { draft, flag in draft.configuration.hasLocalTime = flag }),
    DomainKey("rtc_timeoffset", .integer(-(1 << 40)...1 << 40) { draft, number in draft.configuration.clockOffset = number }),
  ]

  private static let ends = [
    DomainKey("on_poweroff", .text { draft, text in draft.configuration.onPoweroff = try SpecificationText.choice(text) }),
    DomainKey("on_reboot", .text { draft, text in draft.configuration.onReboot = try SpecificationText.choice(text) }),
    DomainKey("on_crash", .text { draft, text in draft.configuration.onCrash = try SpecificationText.choice(text) }),
    DomainKey("restart", .text { draft, text in try setRestart(&draft, text) }),
  ]

  private static let server = [
    DomainKey("on_xend_start", .text { draft, text in draft.configuration.onServerStart = try SpecificationText.choice(text) }),
    DomainKey(
      "on_xend_stop",
      .text { draft, text in draft.configuration.onServerStop = text == "continue" ? .ignore : try SpecificationText.choice(text) }),
  ]
}

extension String {
  fileprivate var nonEmpty: String? { isEmpty ? nil : self }
}

extension DomainKey {
  /// Says which entry of a list is wrong.
  private static func entry<T>(_ text: String, _ parse: (String) throws -> T) throws -> T {
    do {
      return try parse(text)
    } catch {
      throw SettingProblem("'\(text.prefix(200))': \(error)")
    }
  }

  /// xend's rule without the slash: Epicure keeps files under a domain's name.
  static func checkedName(_ text: String) throws(SettingProblem) -> String {
    let isAllowed = text.utf8.allSatisfy { ScriptLexer.isNameStart($0) || ScriptLexer.isDigit($0) || "-.:+".utf8.contains($0) }
    guard 1...255 ~= text.utf8.count, isAllowed, text.first != "-", text != ".", text != ".." else {
      throw SettingProblem("expected up to 255 letters, digits and _ - . : +, found '\(text.prefix(80))'")
    }
    return text
  }

  static func checkedUUID(_ text: String) throws(SettingProblem) -> String {
    let lower = text.lowercased()
    let groups = lower.split(separator: "-", omittingEmptySubsequences: false)
    guard groups.map(\.utf8.count) == [8, 4, 4, 4, 12], groups.allSatisfy({ $0.allSatisfy(\.isHexDigit) }) else {
      throw SettingProblem("expected a UUID like 06ed00fe-1162-4fc4-b5d8-11993ee4a8b9, found '\(text.prefix(80))'")
    }
    return lower
  }

  private static func guestKind(_ text: String) throws(SettingProblem) -> DomainConfiguration.GuestKind {
    switch text {
    case "linux", "generic": .paravirtualized
    case "hvm", "vti": .hardware
    default: throw SettingProblem("expected 'linux' or 'hvm', found '\(text)'")
    }
  }

  private static func bootOrder(_ text: String) throws(SettingProblem) -> [DomainConfiguration.BootDevice] {
    let devices = text.compactMap { DomainConfiguration.BootDevice(rawValue: String($0)) }
    guard !devices.isEmpty, devices.count == text.count, Set(devices).count == devices.count else {
      throw SettingProblem("expected an order of a (floppy), c (disk), d (CD) and n (network), each at most once, found '\(text)'")
    }
    return devices
  }

  private static func serialPort(_ text: String) throws(SettingProblem) -> String? {
    let prefixes = ["file:", "pipe:", "unix:", "tcp:", "telnet:", "udp:", "/dev/"]
    switch text {
    case "", "none": return nil
    case "pty", "null", "stdio", "vc": return text
    case _ where prefixes.contains { text.hasPrefix($0) && text.utf8.count > $0.utf8.count }: return text
    default:
      throw SettingProblem(
        "expected pty, null, stdio, none, file:NAME, unix:, tcp:, telnet: or a device below /dev, found '\(text)'")
    }
  }

  /// The three words that the comments of xmexample1 explain. Newer keys win, wherever they stand.
  private static func setRestart(_ draft: inout DomainDraft, _ text: String) throws(SettingProblem) {
    switch text {
    case "onreboot": draft.setEnds(.destroy, .restart, .destroy)
    case "always": draft.setEnds(.restart, .restart, .restart)
    case "never": draft.setEnds(.destroy, .destroy, .destroy)
    default: throw SettingProblem("expected onreboot, always or never, found '\(text)'")
    }
    draft.warnings.append(KeyedProblem("restart", "deprecated; on_poweroff, on_reboot and on_crash say it"))
  }

  /// A 64-bit mask, as a number or its text.
  private static func mask64(_ value: ConfigurationValue) throws(SettingProblem) -> UInt64 {
    let number: Int128?
    switch value {
    case .integer(let integer): number = integer
    case .string(let text):
      let text = text.trimmed.lowercased()
      number = text.hasPrefix("0x") ? Int128(text.dropFirst(2), radix: 16) : Int128(text)
    default: number = nil
    }
    guard let number, let mask = UInt64(exactly: number) else {
      throw SettingProblem("expected a mask of 64 bits, found \(value.mention)")
    }
    return mask
  }

  private static func setMasks(_ draft: inout DomainDraft, _ value: ConfigurationValue) throws(SettingProblem) {
    func mask(_ value: ConfigurationValue) throws(SettingProblem) -> ProcessorMask {
      let text: String
      switch value {
      case .string(let string): text = string
      case .integer(let number): text = String(number)
      default: throw SettingProblem("expected processors like \"0-3,5,^1\", found \(value.mention)")
      }
      let mask = try ProcessorMask(parsing: text)
      guard mask.bits != 0 else { throw SettingProblem("'\(text)' leaves no processor") }
      return mask
    }
    switch value {
    case .list(let elements), .tuple(let elements):
      guard elements.count <= 64 else { throw SettingProblem("has more than 64 entries") }
      draft.hasMaskForEach = true
      draft.masks = []
      for element in elements { draft.masks.append(try mask(element)) }
    default:
      draft.hasMaskForEach = false
      draft.masks = [try mask(value)]
    }
  }
}

extension DomainDraft {
  fileprivate mutating func setEnds(
    _ poweroff: DomainConfiguration.EndAction, _ reboot: DomainConfiguration.EndAction, _ crash: DomainConfiguration.EndAction
  ) {
    (configuration.onPoweroff, configuration.onReboot, configuration.onCrash) = (poweroff, reboot, crash)
  }
}

extension DomainConfiguration {
  /// The keys that a file may have, those without meaning here among them.
  public static var knownKeys: [String] { DomainKey.all.keys.sorted() }
  /// The keys that are accepted and mean nothing here.
  public static var ignoredKeys: [String] { DomainKey.withoutMeaning.map(\.name).sorted() }
}
