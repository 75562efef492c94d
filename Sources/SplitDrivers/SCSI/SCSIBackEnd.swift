import Devices
import Hypervisor
import Platform

/// VSCSI: logical units that a front end drives with SCSI commands (vscsiif).
///
/// Units come and go while the front end is connected: ``add(_:physical:at:)`` and ``remove(_:)`` go through the states Reconfiguring and
/// Reconfigured. REPORT LUNS tells of the units of this device; all other commands are the unit's own.
public final class SCSIBackEnd: BackEnd {
  /// Where the front end sees a unit.
  public struct Address: Hashable, Sendable, CustomStringConvertible {
    public var channel: UInt16
    public var target: UInt16
    public var unit: UInt16
    public init(channel: UInt16 = 0, target: UInt16, unit: UInt16) {
      (self.channel, self.target, self.unit) = (channel, target, unit)
    }
    public var description: String { "\(channel):\(target):\(unit)" }
  }
  private struct Entry {
    let unit: SCSIUnit
    let physical: String
    let address: Address
    var state: XenbusState
  }
  private var entries: [Int: Entry] = [:]
  private var nextEntry = 0
  private var ring: BackRing?
  private lazy var pending = PendingRequests<SCSIRingRequest>(
    host, finish: { [unowned self] in finish($0) }, goOn: { [unowned self] in takeRequests() })

  /// `device`: the number of the SCSI host that the guest's system is to see.
  public init(host: DriverHost, domain: UInt16, device: Int) {
    super.init(host: host, kind: "vscsi", domain: domain, device: device)
  }

  // MARK: Units

  /// Gives the front end a unit, before or after it is connected. `physical`: what the administrator calls it, "h:c:t:l".
  public func add(_ unit: SCSIUnit, physical: String, at address: Address) {
    entries[nextEntry] = Entry(unit: unit, physical: physical, address: address, state: .initialising)
    nextEntry += 1
    if isConnected { reconfigure(entryKeys(nextEntry - 1)) }
  }

  public func hasUnit(_ address: Address) -> Bool { entries.values.contains { $0.address == address } }

  public func remove(_ address: Address) {
    for (number, entry) in entries where entry.address == address {
      entries[number]?.state = .closing
      if isConnected { reconfigure([("vscsi-devs/dev-\(number)/state", XenbusState.closing.text)]) } else { entries[number] = nil }
    }
  }

  private func entryKeys(_ number: Int) -> [(String, String)] {
    guard let entry = entries[number] else { return [] }
    let prefix = "vscsi-devs/dev-\(number)/"
    let address = entry.address
    return [
      (prefix + "p-dev", entry.physical), (prefix + "p-devname", entry.physical), (prefix + "devid", String(number)),
      (prefix + "v-dev", "\(device):\(address.channel):\(address.target):\(address.unit)"), (prefix + "state", entry.state.text),
    ]
  }

  /// Entries that wait become usable, and those that close are gone: their keys.
  private func settle() -> [(String, String)] {
    var keys: [(String, String)] = []
    for (number, entry) in entries.sorted(by: { $0.key < $1.key }) {
      switch entry.state {
      case .initialising: entries[number]?.state = .initialised
      case .closing: entries[number] = nil
      default: continue
      }
      let state = entries[number]?.state ?? .closed
      keys.append(("vscsi-devs/dev-\(number)/state", state.text))
    }
    return keys
  }

  private func unit(_ address: Address) -> SCSIUnit? {
    entries.values.first { $0.address == address && $0.state == .initialised }?.unit
  }

  // MARK: Directories

  override public var backKeys: [(String, String)] { [("feature-host", "0")] + entries.keys.sorted().flatMap(entryKeys) }

  override public func connect() throws(BackEndFailure) -> [(String, String)] {
    ring = BackRing(page: try mapRing("ring-ref"), requestSize: SCSIRingRequest.size, responseSize: SCSIRingRequest.size)
    try bindPort()
    return settle()
  }

  override public func reconfigured() -> [(String, String)] { settle() }

  override public func disconnecting(isOrderly: Bool) {
    for request in pending.cancel() where isOrderly { finish(request) }
    while isOrderly, let request = nextRequest() { finish(request) }
    ring = nil
    // A front end that comes back finds its units again.
    for number in entries.keys { entries[number]?.state = .initialising }
  }

  // MARK: Requests

  override public func notified() {
    if ring != nil { takeRequests() }
  }

  private func nextRequest() -> SCSIRingRequest? {
    guard ring != nil else { return nil }
    do throws(ProtocolViolation) {
      return try ring?.next().map(SCSIRingRequest.init)
    } catch {
      ring = nil
      fail(error.description)
      return nil
    }
  }

  private func takeRequests() {
    repeat {
      while let request = nextRequest() {
        let bytes = request.segments.reduce(0) { $0 + UInt64($1.count) }
        // Who has no such unit learns it as late as an answer without data.
        let timing = unit(request.address)?.timing ?? absent
        pending.add(request, end: timing.request(bytes, isWrite: request.isWrite, now: host.now))
      }
    } while hasMore()
  }
  private let absent = MediumTiming()

  /// Asks to be told of the next request, unless it is there.
  private func hasMore() -> Bool {
    do throws(ProtocolViolation) { return try ring?.awaitsMore() ?? false } catch {
      fail(error.description)
      return false
    }
  }

  private func finish(_ request: SCSIRingRequest) {
    guard ring != nil else { return }
    statistics.requests += 1
    ring?.put(perform(request))
    notify(ring?.push() ?? false)
  }

  private func refuse(_ request: SCSIRingRequest, _ text: String) -> [UInt8] {
    statistics.refusals += 1
    report(text)
    return request.response(SCSIRingRequest.Result.driverError)
  }

  private func perform(_ request: SCSIRingRequest) -> [UInt8] {
    guard let action = SCSIRingRequest.Action(rawValue: request.action) else { return refuse(request, "action \(request.action)") }
    guard let unit = unit(request.address) else { return request.response(SCSIRingRequest.Result.noConnection) }
    switch action {
    case .reset:
      unit.reset(.deviceReset)
      return request.response(SCSIRingRequest.Result.resetDone)
    // Requests are done one after another: a command is over when the next one's turn comes.
    case .abort: return request.response(SCSIRingRequest.Result.failed)
    case .command: return execute(request, unit)
    }
  }

  private func execute(_ request: SCSIRingRequest, _ unit: SCSIUnit) -> [UInt8] {
    if let defect = request.defect { return refuse(request, defect) }
    var pages: [HostMapping] = []
    defer { for page in pages { host.grants.unmapForHost(page) } }
    for segment in request.segments {
      do throws(BackEndFailure) { pages.append(try map(segment.reference, readOnly: request.isWrite)) } catch {
        return refuse(request, error.description)
      }
    }
    let data = Array(zip(pages, request.segments.map(\.range)))
    let room = data.reduce(0) { $0 + $1.1.count }
    if request.command[0] == Self.reportUnits { return reportUnits(request, data, room) }
    var task = unit.begin(request.command, initiator: 0)
    guard task.remaining <= UInt64(room) else { return refuse(request, "a command moves more than its segments hold") }
    let moved = move(&task, unit, data)
    // Until its data have moved, a command does not go on.
    while task.status == nil && task.remaining == 0 { unit.proceed(&task) }
    guard let status = task.status.map({ Int32($0.rawValue) }) else { return refuse(request, "a command that does not end") }
    guard let sense = task.sense else { return request.response(status, residual: room - moved) }
    return request.response(SCSIRingRequest.Result.driverSense | status, sense: sense.fixedFormat, residual: room - moved)
  }

  /// Moves a command's data; how many bytes.
  private func move(_ task: inout SCSITask, _ unit: SCSIUnit, _ data: [(HostMapping, Range<Int>)]) -> Int {
    var moved = 0
    for (page, range) in data where task.remaining > 0 && !range.isEmpty {
      let wanted = min(range.count, Int(task.remaining))
      let part = range.lowerBound..<range.lowerBound + wanted
      let buffer = UnsafeMutableRawBufferPointer(rebasing: page.bytes[part])
      let done: Int
      if task.direction == .toInitiator {
        done = unit.read(&task, into: buffer)
        page.noteWrite(part.lowerBound, count: done)
        statistics.bytesRead += UInt64(done)
      } else {
        done = unit.write(&task, from: UnsafeRawBufferPointer(buffer))
        statistics.bytesWritten += UInt64(done)
      }
      moved += done
      if done < wanted { break }
    }
    return moved
  }

  // MARK: REPORT LUNS

  private static let reportUnits: UInt8 = 0xA0

  /// SPC-3, section 6.21: the units that the front end has at this target.
  private func reportUnits(_ request: SCSIRingRequest, _ data: [(HostMapping, Range<Int>)], _ room: Int) -> [UInt8] {
    let address = request.address
    let units = entries.values.filter {
      $0.state == .initialised && $0.address.channel == address.channel && $0.address.target == address.target
    }.map(\.address.unit).sorted()
    let length = UInt32(units.count * 8)
    var list = [UInt8](repeating: 0, count: 8 + units.count * 8)
    for byte in 0..<4 { list[byte] = UInt8(truncatingIfNeeded: length >> UInt32(24 - byte * 8)) }
    for (index, unit) in units.enumerated() {
      // Peripheral addressing up to 255, flat above.
      (list[8 + index * 8], list[9 + index * 8]) = (unit > 255 ? UInt8(0x40 | (unit >> 8) & 0x3F) : 0, UInt8(unit & 0xFF))
    }
    var moved = 0
    for (page, range) in data where moved < list.count && !range.isEmpty {
      let part = list[moved..<min(list.count, moved + range.count)]
      part.withUnsafeBytes { page.copyIn(range.lowerBound, $0) }
      moved += part.count
    }
    return request.response(0, residual: room - moved)
  }
}
