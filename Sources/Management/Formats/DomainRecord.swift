/// Everything about a domain: `xm list --long`.
public struct DomainRecord: Sendable, Equatable, Codable {
  public var configuration: DomainConfiguration
  public var id: Int?
  public var uuid: String
  /// What the domain has now, in MiB.
  public var memory: Int
  public var onlineProcessors: Int
  public var state: DomainState
  /// Seconds since 1970; nil if it does not run.
  public var startTime: Double?
  public var processorSeconds: Double
  /// Frames of the rings.
  public var storeFrame: UInt64?
  public var consoleFrame: UInt64?

  public init(
    configuration: DomainConfiguration, id: Int?, uuid: String, memory: Int, onlineProcessors: Int, state: DomainState,
    startTime: Double?,
    processorSeconds: Double, storeFrame: UInt64? = nil, consoleFrame: UInt64? = nil
  ) {
    (self.configuration, self.id, self.uuid, self.memory, self.onlineProcessors) = (
      configuration, id, uuid, memory, onlineProcessors
    )
    (self.state, self.startTime, self.processorSeconds) = (state, startTime, processorSeconds)
    (self.storeFrame, self.consoleFrame) = (storeFrame, consoleFrame)
  }

  /// The line of `xm list`.
  public var summary: DomainSummary {
    DomainSummary(
      name: configuration.name, id: id, memory: memory,
      virtualProcessors: id == nil ? configuration.virtualProcessors : onlineProcessors, state: id == nil ? nil : state,
      processorSeconds: processorSeconds)
  }

  /// The keys of 2007 in the order that xm of Xen 3.1 to 3.3 prints them, which was that of a Python dictionary.
  public var sExpression: SExpression {
    let wanted = configuration
    var items: [SExpression] = [.text("domain")]
    if let id { items.append(.pair("domid", id)) }
    items += [
      .pair("on_crash", wanted.onCrash.rawValue), .pair("uuid", uuid), .pair("bootloader_args", wanted.bootloaderArguments ?? ""),
      .pair("vcpus", wanted.virtualProcessors), .pair("name", wanted.name), .pair("on_poweroff", wanted.onPoweroff.rawValue),
      .pair("on_reboot", wanted.onReboot.rawValue), .pair("bootloader", wanted.bootloader ?? ""),
      .pair("maxmem", wanted.maximumMemory),
      .pair("memory", memory), .pair("shadow_memory", 0), .pair("features", ""),
      .pair("on_xend_start", wanted.onServerStart.rawValue),
      .pair("on_xend_stop", wanted.onServerStop.rawValue),
    ]
    if let startTime { items.append(.list([.text("start_time"), .number(startTime)])) }
    items += [
      .list([.text("cpu_time"), .number(processorSeconds)]), .pair("online_vcpus", onlineProcessors),
      .list([.text("image"), image]),
      // DOM_STATES of xend: 0 is halted (or shut down), 1 paused, 2 running.
      .pair("status", id == nil || state.contains(.shutdown) ? 0 : state.contains(.paused) ? 1 : 2),
    ]
    if id != nil { items.append(.pair("state", state.description)) }
    if let storeFrame { items.append(.list([.text("store_mfn"), .text(String(storeFrame))])) }
    if let consoleFrame { items.append(.list([.text("console_mfn"), .text(String(consoleFrame))])) }
    return .list(items + devices.map { .list([.text("device"), $0]) })
  }

  private var image: SExpression {
    let isHardware = configuration.kind == .hardware
    var items: [SExpression] = [
      .text(isHardware ? "hvm" : "linux"), .pair("kernel", configuration.kernel ?? configuration.firmware ?? ""),
    ]
    if let ramdisk = configuration.ramdisk { items.append(.pair("ramdisk", ramdisk)) }
    if !configuration.commandLine.isEmpty { items.append(.pair("args", configuration.commandLine)) }
    if isHardware {
      items += [
        .pair("boot", configuration.bootOrder.map(\.rawValue).joined()), .pair("serial", configuration.serial ?? ""),
        .pair("rtc_timeoffset", configuration.clockOffset), .pair("localtime", configuration.hasLocalTime ? 1 : 0),
        .pair("acpi", configuration.acpi ? 1 : 0), .pair("apic", configuration.apic ? 1 : 0),
      ]
    }
    return .list(items)
  }

  private var devices: [SExpression] {
    let firstDisk = configuration.disks.firstIndex { !$0.isOptical }
    return configuration.interfaces.map(Self.expression)
      + configuration.disks.enumerated().map { Self.expression($1, isBootable: $0 == firstDisk) }
      + configuration.scsiDevices.map {
        .list([
          .text("vscsi"), .pair("p-dev", $0.physical), .pair("v-dev", $0.virtual?.description ?? "host"),
          .pair("backend", $0.backendDomain ?? "0"),
        ])
      }
      + configuration.framebuffers.map { .list([.text("vfb"), .pair("type", $0.kind.rawValue), .pair("vnclisten", $0.listen)]) }
      + configuration.pciDevices.map { .list([.text("pci"), .pair("dev", $0.description)]) }
  }

  private static func expression(_ interface: InterfaceConfiguration) -> SExpression {
    let fields = [
      ("bridge", interface.bridge), ("mac", interface.address), ("type", interface.kind?.rawValue), ("model", interface.model),
      ("ip", interface.ip), ("script", interface.script), ("vifname", interface.interfaceName), ("rate", interface.rate),
      ("backend", interface.backendDomain ?? "0"),
    ]
    return .list([.text("vif")] + fields.compactMap { key, value in value.map { .pair(key, $0) } })
  }

  private static func expression(_ disk: DiskConfiguration, isBootable: Bool) -> SExpression {
    .list([
      .text(disk.backend == .tap ? "tap" : "vbd"), .pair("dev", "\(disk.device):\(disk.isOptical ? "cdrom" : "disk")"),
      .pair("uname", disk.uname), .pair("mode", disk.access.rawValue), .pair("backend", disk.backendDomain ?? "0"),
      .pair("bootable", isBootable ? 1 : 0),
    ])
  }
}
