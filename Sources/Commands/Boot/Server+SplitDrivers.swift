import Devices
import HostResources
import Hypervisor
import Platform
import SplitDrivers

/// What domains have by paravirtualized drivers: block devices, SCSI units, network interfaces, screens.
extension Server {
  /// Xen's number of `xvda`, and how far the next one is.
  private static let firstBlockDevice = 202 << 8
  private static let blockDeviceStep = 16

  private func driverHost(_ option: String) throws -> (DriverHost, UInt16) {
    guard let drivers, let domain else {
      throw CommandFailure(
        CommandFailure.badInput, "\(option) is for domains: the bare machine has no hypervisor that it could talk to")
    }
    return (drivers, domain.domainNumber)
  }

  /// Plugs a disk in as a VBD, under the number that it asks for or the next that is free.
  @discardableResult
  func attachBlock(_ disk: OpenDisk, _ timing: MediumTiming = MediumTiming()) throws -> BlockBackEnd {
    let (drivers, domain) = try driverHost("--disk bus=vbd")
    let taken = Set(drivers.backEnds.filter { $0.kind == "vbd" && $0.domain == domain }.map(\.device))
    let free = (0..<256).map { Self.firstBlockDevice + $0 * Self.blockDeviceStep }.first { !taken.contains($0) }
    guard let number = disk.specification.deviceNumber ?? free, !taken.contains(number) else {
      throw CommandFailure(CommandFailure.badInput, "--disk: the domain has a block device of this number already")
    }
    let backEnd = BlockBackEnd(
      host: drivers, domain: domain, device: number, medium: disk.storage, mode: disk.specification.isReadOnly ? "r" : "w",
      isCDROM: disk.specification.isCD, timing: timing)
    try plug(backEnd, drivers)
    note(disk, name: "vbd\(number)", timing) { [weak backEnd] in backEnd.map { Self.counters(of: $0) } ?? [:] }
    return backEnd
  }

  /// Plugs a disk in as a unit of a SCSI host of the domain's, at the address that it asks for or as the next target.
  func attachSCSI(_ disk: OpenDisk, _ unit: SCSIUnit) throws {
    let (drivers, domain) = try driverHost("--disk bus=vscsi")
    let wanted = disk.specification.unitAddress
    let host = wanted?.host ?? 0
    let existing = drivers.backEnds.first { $0.kind == "vscsi" && $0.domain == domain && $0.device == host } as? SCSIBackEnd
    let backEnd = existing ?? SCSIBackEnd(host: drivers, domain: domain, device: host)
    func target(_ number: UInt16) -> SCSIBackEnd.Address { SCSIBackEnd.Address(target: number, unit: 0) }
    let address = wanted.map(SCSIBackEnd.Address.init) ?? (0...UInt16.max).lazy.map(target).first { !backEnd.hasUnit($0) }
    guard let address, !backEnd.hasUnit(address) else {
      throw CommandFailure(
        CommandFailure.badInput, "\(disk.specification.file): the domain has a SCSI unit \(host):\(address ?? target(0)) already")
    }
    let number = disks.count { $0.name.hasPrefix("vscsi") }
    backEnd.add(unit, physical: "0:0:\(number):0", at: address)
    if existing == nil { try plug(backEnd, drivers) }
    note(disk, name: "vscsi\(number)", unit.timing) { [weak backEnd] in backEnd.map { Self.counters(of: $0) } ?? [:] }
  }

  /// Plugs a network interface in. Returns how to learn what it counts.
  func attachInterface(address: MACAddress, port: any NetworkPort, bridge: String) throws -> () -> [String: UInt64] {
    let (drivers, domain) = try driverHost("--nic model=netfront")
    let taken = Set(drivers.backEnds.filter { $0.kind == "vif" && $0.domain == domain }.map(\.device))
    guard let number = (0..<64).first(where: { !taken.contains($0) }) else {
      throw CommandFailure(CommandFailure.badInput, "--nic: a domain has 64 network interfaces at most")
    }
    let backEnd = NetworkBackEnd(host: drivers, domain: domain, device: number, address: address, network: port, bridge: bridge)
    try plug(backEnd, drivers)
    return { [weak backEnd] in backEnd.map { Self.counters(of: $0) } ?? [:] }
  }

  func attachFrameBuffer() throws -> (FrameBufferBackEnd, KeyboardBackEnd) {
    let (drivers, domain) = try driverHost("--vnc")
    let picture = FrameBufferBackEnd(host: drivers, domain: domain, device: 0)
    let keyboard = KeyboardBackEnd(host: drivers, domain: domain, device: 0)
    for backEnd in [picture, keyboard] as [BackEnd] {
      try plug(backEnd, drivers)
      statisticsSources.append(("\(backEnd.kind)0", { [weak backEnd] in backEnd.map { Self.counters(of: $0) } ?? [:] }))
    }
    return (picture, keyboard)
  }

  private func plug(_ backEnd: BackEnd, _ drivers: DriverHost) throws {
    do throws(StoreError) { try drivers.plug(backEnd, name: domainName) } catch {
      throw CommandFailure(CommandFailure.badInput, "XenStore has no room for \(backEnd.kind)/\(backEnd.device): \(error.rawValue)")
    }
  }

  private static func counters(of backEnd: BackEnd) -> [String: UInt64] {
    let s = backEnd.statistics
    return [
      "requests": s.requests, "refusals": s.refusals, "notifications_sent": s.notificationsSent,
      "notifications_suppressed": s.notificationsSuppressed, "bytes_copied": s.bytesCopied, "grants_mapped": s.grantsMapped,
      "cycles_awake": s.cyclesAwake,
    ]
  }
}

extension SCSIBackEnd.Address {
  fileprivate init(_ address: DiskSpecification.UnitAddress) {
    self.init(
      channel: UInt16(clamping: address.channel), target: UInt16(clamping: address.target), unit: UInt16(clamping: address.unit))
  }
}
