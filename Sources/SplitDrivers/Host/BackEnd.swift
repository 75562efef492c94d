import Hypervisor

/// States of xenbus (`xen/include/public/io/xenbus.h`).
public enum XenbusState: Int, Sendable {
  case unknown, initialising, initWait, initialised, connected, closing, closed, reconfiguring, reconfigured
  var text: String { String(rawValue) }
}

/// What went through a back end.
public struct BackEndStatistics: Equatable, Sendable {
  public var requests: UInt64 = 0
  public var bytesRead: UInt64 = 0
  public var bytesWritten: UInt64 = 0
  /// Requests that were answered with an error, or dropped.
  public var refusals: UInt64 = 0
  public var notificationsSent: UInt64 = 0
  /// Notifications that the front end did not ask for.
  public var notificationsSuppressed: UInt64 = 0
  public var bytesCopied: UInt64 = 0
  public var grantsMapped: UInt64 = 0
  /// Cycles of the host in which it has looked for work.
  public var cyclesAwake: UInt64 = 0
  public init() {}
}

/// One device's back end: its directory, its states, the port and the frames that it has of its front end.
///
/// Subclasses say what they put into the directories, map their rings in ``connect()``, and do their work in ``notified()``.
open class BackEnd {
  public let host: DriverHost
  public let kind: String
  public let domain: UInt16
  public let device: Int
  public private(set) var state = XenbusState.initialising
  /// The front end has let it go, and its directories may be removed.
  public private(set) var isGone = false
  /// Told when it is.
  public final var whenGone: (() -> Void)?
  public final var statistics = BackEndStatistics()
  private var watch: Int?
  private var port: UInt32?
  private var mappings: [HostMapping] = []

  public init(host: DriverHost, kind: String, domain: UInt16, device: Int) {
    (self.host, self.kind, self.domain, self.device) = (host, kind, domain, device)
  }

  public final var path: String { "/local/domain/0/backend/\(kind)/\(domain)/\(device)" }
  public final var frontPath: String { "/local/domain/\(domain)/device/\(kind)/\(device)" }

  // MARK: For subclasses

  /// What the administrator's tools put into the directories besides what all devices have.
  open var frontKeys: [(String, String)] { [] }
  open var backKeys: [(String, String)] { [] }
  /// What the back end offers before the front end has come.
  open var features: [(String, String)] { [] }
  /// The front end is there: map its frames, bind its port. Returns what goes into the directory before the state becomes connected.
  open func connect() throws(BackEndFailure) -> [(String, String)] { [] }
  /// The front end is not there any more: nothing that was mapped is to be used. What it has asked for before may still be answered if
  /// `isOrderly`.
  open func disconnecting(isOrderly: Bool) {}
  /// The front end has taken note of a ``reconfigure(_:)``. Returns what goes into the directory before the state becomes Reconfigured.
  open func reconfigured() -> [(String, String)] { [] }
  /// The front end has sent an event.
  open func notified() {}

  public struct BackEndFailure: Error, Equatable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
  }

  /// A key of the front end's.
  public final func frontValue(_ key: String) -> String? { try? store.read(frontPath + "/" + key) }
  public final func frontNumber(_ key: String) throws(BackEndFailure) -> UInt32 {
    guard let text = frontValue(key), let number = UInt32(text) else { throw BackEndFailure("the front end has no \(key)") }
    return number
  }

  public final func map(_ reference: UInt32, readOnly: Bool = false) throws(BackEndFailure) -> HostMapping {
    do throws(GrantStatus) {
      let mapping = try host.grants.mapForHost(reference, of: domain, readOnly: readOnly)
      statistics.grantsMapped += 1
      return mapping
    } catch {
      throw BackEndFailure("grant \(reference) cannot be mapped: \(error)")
    }
  }

  /// A frame that is mapped as long as the front end is connected.
  public final func mapRing(_ key: String) throws(BackEndFailure) -> HostMapping {
    let mapping = try map(try frontNumber(key))
    mappings.append(mapping)
    return mapping
  }

  /// A frame that the front end shares by its number, without a grant, mapped as long as it is connected.
  public final func mapFrame(_ frame: UInt64) throws(BackEndFailure) -> HostMapping {
    do throws(GrantStatus) {
      let mapping = try host.grants.mapFrameForHost(frame, of: domain)
      mappings.append(mapping)
      return mapping
    } catch {
      throw BackEndFailure("frame \(frame) cannot be mapped: \(error)")
    }
  }

  /// The same, whose number is in the directory.
  public final func mapFrame(_ key: String) throws(BackEndFailure) -> HostMapping {
    guard let text = frontValue(key), let frame = UInt64(text) else { throw BackEndFailure("the front end has no \(key)") }
    return try mapFrame(frame)
  }

  public final func bindPort() throws(BackEndFailure) {
    let remote = try frontNumber("event-channel")
    do throws(XenError) {
      port = try host.events.bindHost(to: domain, port: remote) { [weak self] in self?.notified() }
    } catch {
      throw BackEndFailure("event channel \(remote) cannot be bound: \(error)")
    }
  }

  /// Tells the front end, if its ring says that it wants to be told.
  public final func notify(_ isWanted: Bool) {
    guard let port else { return }
    if isWanted {
      statistics.notificationsSent += 1
      host.events.sendFromHost(port)
    } else {
      statistics.notificationsSuppressed += 1
    }
  }

  public final func report(_ text: String) { host.report?(domain, "\(kind)/\(device)", text) }

  /// The front end has broken what cannot be mended: it is disconnected, and nobody else notices.
  public final func fail(_ reason: String) {
    report(reason)
    try? store.write("/local/domain/0/error/backend/\(kind)/\(domain)/\(device)/error", reason)
    disconnect(isOrderly: false)
    change(to: .closing)
  }

  public final var isConnected: Bool { state == .connected }

  // MARK: States

  private var store: XenStore { host.store }

  private func change(to new: XenbusState, _ keys: [(String, String)] = []) {
    state = new
    do throws(StoreError) {
      try store.transaction {
        for (key, value) in keys { $0.write(path + "/" + key, value) }
        $0.write(path + "/state", new.text)
      }
    } catch {
      report("its directory cannot be written: \(error)")
    }
  }

  func start() throws(StoreError) {
    change(to: .initWait, features)
    watch = try store.watch(frontPath + "/state") { [weak self] _ in self?.frontChanged() }
  }

  private func frontChanged() {
    guard !isGone else { return }
    let front = frontValue("state").flatMap { Int($0) }.flatMap(XenbusState.init) ?? .unknown
    switch front {
    case .initialising:
      if state == .closed { change(to: .initWait, features) }
    case .initialised, .connected:
      if state == .reconfigured && front == .connected { change(to: .connected) }
      guard state == .initWait else { return }
      do throws(BackEndFailure) { change(to: .connected, try connect()) } catch { fail(error.description) }
      // What was asked for before the port was bound.
      if isConnected { notified() }
    case .closing:
      disconnect(isOrderly: true)
      if state != .closing { change(to: .closing) }
    case .closed:
      disconnect(isOrderly: true)
      if state != .closed { change(to: .closed) }
      if (try? store.read(path + "/online")) != "1" { vanish() }
    case .unknown:
      disconnect(isOrderly: false)
      vanish()
    case .reconfiguring:
      if state == .reconfiguring { change(to: .reconfigured, reconfigured()) }
    case .initWait, .reconfigured: break
    }
  }

  /// Tells a front end that is connected that something in the directory is new.
  public final func reconfigure(_ keys: [(String, String)]) { change(to: .reconfiguring, keys) }

  /// The administrator wants the device to go.
  func beginClosing() {
    if state == .closed || state == .initWait { vanish() } else { change(to: .closing) }
  }

  private func disconnect(isOrderly: Bool) {
    disconnecting(isOrderly: isOrderly)
    if let port { host.events.closeHost(port) }
    port = nil
    for mapping in mappings { host.grants.unmapForHost(mapping) }
    mappings = []
  }

  func disappear() {
    disconnect(isOrderly: false)
    vanish()
  }

  private func vanish() {
    guard !isGone else { return }
    isGone = true
    if let watch { store.unwatch(watch) }
    watch = nil
    host.forget(self)
    whenGone?()
  }
}
