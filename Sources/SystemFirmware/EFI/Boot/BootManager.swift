import FirmwareMedia
import Platform
import Processor

/// Where the boot manager is in its list.
struct BootManagerState: Sendable, Equatable, Codable {
  struct Candidate: Sendable, Equatable, Codable {
    /// The number of its Boot#### variable.
    var number: UInt16?
    var name: String
    var path: DevicePath
    var optionalData: [UInt8] = []
    /// A default file of a medium: nothing is said when it does not exist.
    var isDefault = false
  }
  var candidates: [Candidate]?
  var running: Candidate?
  /// What the last image has returned.
  var lastStatus: UInt64?
}

/// The boot manager (EFI 1.10, chapter 17): BootNext, then BootOrder, then the default file of every medium in the order of the devices.
/// It has no menu, so it does not wait either.
extension SystemFirmware {
  private static var watchdogTime: UInt64 { 300 * Cycles.perSecond }
  static let defaultFile = "\\EFI\\BOOT\\BOOTIA64.EFI"

  /// What was started last has come back; or, the first time, nothing has been started.
  func bootManager(status: UInt64, _ call: GuestCall) -> ServiceOutcome {
    if let ended = boot?.manager.running {
      boot?.manager.running = nil
      boot?.watchdog = nil
      boot?.manager.lastStatus = status
      if status != 0 { say("\(ended.name) has ended with \(Self.describe(status))", call) }
    }
    if boot?.manager.candidates == nil {
      let found = findCandidates()
      boot?.manager.candidates = found
    }
    while boot?.manager.candidates?.isEmpty == false, let candidate = boot?.manager.candidates?.removeFirst() {
      switch prepare(candidate) {
      case .success(let handle):
        boot?.manager.running = candidate
        boot?.events.level = TaskPriority.application
        // Whatever is started has five minutes to say that it needs longer, or to leave (EFI 1.10, SetWatchdogTimer).
        let end = call.processor.currentCycle &+ Self.watchdogTime
        boot?.watchdog = end
        return start(handle)
      case .failure(let failure):
        if !(candidate.isDefault && failure.status == .notFound) {
          say("\(candidate.name) cannot be started: \(Self.describe(failure.status.rawValue))", call)
        }
      }
    }
    let result = boot?.manager.lastStatus ?? EFIStatus.notFound.rawValue
    if boot?.manager.lastStatus == nil { say("No medium can be booted: there is no \(Self.defaultFile) for this machine", call) }
    return .value(result)
  }

  private func say(_ text: String, _ call: GuestCall) { writeConsole("EFI boot manager: \(text).\r\n", call.processor) }

  private static func describe(_ status: UInt64) -> String {
    EFIStatus(rawValue: status).map { "\($0)" } ?? "status 0x" + String(status, radix: 16)
  }

  // MARK: Candidates

  private func variable(_ name: String) -> [UInt8]? {
    state.runtime.variables.first { $0.vendor == .globalVariable && $0.name == Array(name.utf16) }?.data
  }

  private func findCandidates() -> [BootManagerState.Candidate] {
    if let application = request?.application {
      return [.init(number: nil, name: application.name, path: DevicePath())]
    }
    var numbers: [UInt16] = []
    if let next = variable("BootNext"), next.count == 2 {
      numbers.append(UInt16(next[0]) | UInt16(next[1]) << 8)
      // Once only, whatever comes of it.
      setVariable("BootNext", nil)
    }
    if let order = variable("BootOrder") {
      numbers += stride(from: 0, to: order.count - 1, by: 2).prefix(256).map { UInt16(order[$0]) | UInt16(order[$0 + 1]) << 8 }
    }
    var list: [BootManagerState.Candidate] = []
    for (n, number) in numbers.enumerated() where numbers.firstIndex(of: number) == n {
      guard let data = variable(Self.name(number)), let option = LoadOption(data), option.attributes & LoadOption.active != 0 else {
        continue
      }
      list.append(
        .init(
          number: number, name: "\(Self.name(number)) \"\(option.description)\"", path: complete(option.path),
          optionalData: option.optionalData))
    }
    for volume in storages where volume.fileSystem != nil {
      let path = volume.path + DevicePath.file(Self.defaultFile)
      list.append(.init(number: nil, name: path.text, path: path, isDefault: true))
    }
    return list
  }

  private static func name(_ number: UInt16) -> String {
    let digits = String(number, radix: 16, uppercase: true)
    return "Boot" + String(repeating: "0", count: 4 - digits.count) + digits
  }

  /// Paths may begin with the partition, wherever its disk is now, and end with it: then the default file is meant.
  private func complete(_ path: DevicePath) -> DevicePath {
    var path = path
    if let first = path.nodes.first, first[0] == 4, first[1] == 1,
      let volume = storages.first(where: { $0.path.nodes.last.map { Self.isSamePartition($0, first) } ?? false })
    {
      path.nodes.replaceSubrange(0..<1, with: volume.path.nodes)
    }
    if let last = path.nodes.last, !(last[0] == 4 && last[1] == 4) { path.nodes.append(DevicePath.file(Self.defaultFile)) }
    return path
  }

  /// Partition number, signature and their kinds; where it lies may have changed.
  private static func isSamePartition(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    a.count == 42 && b.count == 42 && a[0..<8] == b[0..<8] && a[24..<42] == b[24..<42]
  }

  private func prepare(_ candidate: BootManagerState.Candidate) -> Result<UInt64, ServiceFailure> {
    let bytes: [UInt8]
    if let application = request?.application {
      bytes = application.bytes
    } else {
      switch readFile(candidate.path) {
      case .success(let contents): bytes = contents
      case .failure(let failure): return .failure(failure)
      }
    }
    let path = candidate.path.nodes.isEmpty ? nil : candidate.path
    let handle: UInt64
    switch load(bytes, path: path, parent: boot?.firmwareImage ?? 0) {
    case .success(let loaded): handle = loaded
    case .failure(let failure): return .failure(failure)
    }
    var options = candidate.optionalData
    if let text = request?.commandLine, request?.application != nil, !text.isEmpty {
      options = Array((text + "\0").utf16).flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
    }
    if !options.isEmpty, let image = boot?.images[handle], let data = place(options) {
      boot?.images[handle]?.belongings.append(data)
      host.memory.store(image.interface + 48, UInt32(options.count))
      host.memory.store(image.interface + 56, data)
    }
    setVariable("BootCurrent", candidate.number.map { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }, volatile: true)
    return .success(handle)
  }

  /// Sets or removes a global variable.
  private func setVariable(_ name: String, _ data: [UInt8]?, volatile: Bool = false) {
    let units = Array(name.utf16)
    state.runtime.variables.removeAll { $0.vendor == .globalVariable && $0.name == units }
    if let data {
      let attributes = volatile ? VariableAttribute.all & ~VariableAttribute.nonVolatile : VariableAttribute.all
      state.runtime.variables.append(.init(name: units, vendor: .globalVariable, attributes: attributes, data: data))
    }
    if !volatile { _ = storeVariables() }
  }
}
