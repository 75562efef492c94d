import Processor

/// How far ConnectController has come.
struct ConnectionProgress: Sendable, Equatable, Codable {
  var controller: UInt64
  /// Driver Binding interfaces that have not been tried, best first.
  var candidates: [UInt64]
  /// The rest of the device path; 0: none.
  var remainingPath: UInt64
  /// False: the first candidate is asked whether it supports the controller; true: its Start is under way.
  var isStarting = false
  var started = false
}

/// How far DisconnectController has come.
struct DisconnectionProgress: Sendable, Equatable, Codable {
  var controller: UInt64
  var drivers: [UInt64]
  var stopped = false
}

/// ConnectController and DisconnectController for drivers that images have brought (EFI 1.10, section 5.3). The firmware's own devices
/// are always connected.
extension SystemFirmware {
  /// in0 controller, in1 list of driver images, in2 remaining device path, in3 recursive.
  func connectController(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard boot?.handles[call.argument(0)] != nil else { return .status(.invalidParameter) }
    var preferred: [UInt64] = []
    if call.argument(1) != 0 {
      for n in 0..<64 as Range<UInt64> {
        let handle: UInt64 = try call.load(call.argument(1) &+ 8 &* n)
        if handle == 0 { break }
        preferred.append(handle)
      }
    }
    let drivers = (boot?.handles.handles(with: .driverBinding) ?? []).compactMap { handle -> (UInt64, UInt64, UInt32)? in
      guard let interface = boot?.handles.interface(handle, .driverBinding)?.address else { return nil }
      // Supported, Start, Stop, version, image, handle.
      return (handle, interface, host.memory.load(interface &+ 24) ?? 0)
    }
    let first = preferred.compactMap { handle in drivers.first { $0.0 == handle }?.1 }
    let rest = drivers.filter { !preferred.contains($0.0) }.sorted { $0.2 > $1.2 }.map(\.1)
    return tryNext(
      ConnectionProgress(controller: call.argument(0), candidates: first + rest, remainingPath: call.argument(2)))
  }

  private func tryNext(_ progress: ConnectionProgress) -> ServiceOutcome {
    var progress = progress
    progress.isStarting = false
    guard let driver = progress.candidates.first, let function: UInt64 = host.memory.load(driver) else {
      // A null pointer ends where the path does: connected down to it.
      return .status(progress.started || progress.remainingPath != 0 && isEnd(progress.remainingPath) ? .success : .notFound)
    }
    return .call(
      GuestFunction(descriptor: function, arguments: [driver, progress.controller, progress.remainingPath]), then: .driver(progress)
    )
  }

  private func isEnd(_ path: UInt64) -> Bool { readDevicePath(path)?.nodes.isEmpty == true }

  func driverAnswered(_ progress: ConnectionProgress, status: UInt64, _ call: GuestCall) -> ServiceOutcome {
    var progress = progress
    guard let driver = progress.candidates.first else { return .status(.notFound) }
    if !progress.isStarting, status == 0, let function: UInt64 = host.memory.load(driver &+ 8) {
      progress.isStarting = true
      return .call(
        GuestFunction(descriptor: function, arguments: [driver, progress.controller, progress.remainingPath]),
        then: .driver(progress))
    }
    if progress.isStarting, status == 0 { progress.started = true }
    progress.candidates.removeFirst()
    return tryNext(progress)
  }

  /// in0 controller, in1 driver image, in2 child.
  func disconnectController(_ call: GuestCall) -> ServiceOutcome {
    guard let handle = boot?.handles[call.argument(0)] else { return .status(.invalidParameter) }
    let agents = handle.interfaces.flatMap(\.opens).filter { $0.attributes & OpenAttribute.byDriver != 0 }.map(\.agent)
    var drivers: [UInt64] = []
    for agent in agents where call.argument(1) == 0 || agent == call.argument(1) {
      if let interface = boot?.handles.interface(agent, .driverBinding)?.address, !drivers.contains(interface) {
        drivers.append(interface)
      }
    }
    if drivers.isEmpty { return call.argument(1) == 0 ? .success : .status(.notFound) }
    return stopNext(DisconnectionProgress(controller: call.argument(0), drivers: drivers))
  }

  private func stopNext(_ progress: DisconnectionProgress) -> ServiceOutcome {
    guard let driver = progress.drivers.first, let function: UInt64 = host.memory.load(driver &+ 16) else {
      return .status(progress.stopped ? .success : .notFound)
    }
    return .call(
      GuestFunction(descriptor: function, arguments: [driver, progress.controller, 0, 0]), then: .driverStopped(progress))
  }

  func driverStopped(_ progress: DisconnectionProgress, status: UInt64, _ call: GuestCall) -> ServiceOutcome {
    var progress = progress
    if status == 0 { progress.stopped = true }
    progress.drivers.removeFirst()
    return stopNext(progress)
  }
}
