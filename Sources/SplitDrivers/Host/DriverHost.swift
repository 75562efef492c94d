import Hypervisor
import Platform

/// What back ends have of the host: XenStore, event channels, grants, and the machine's time.
///
/// - ``plug(_:name:)`` and ``unplug(_:)``: devices come and go as xend's would: both directories, then the states of xenbus.
/// - ``domainGone(_:)``: before the domain's event channels, grants and memory go.
/// - ``report``: front ends that break a rule, and what was done about it.
///
/// What a back end does, it does when the machine's event queue says so: the same run does the same things at the same cycles.
public final class DriverHost {
  public let store: XenStore
  public let events: EventChannels
  public let grants: GrantTables
  private let queue: EventQueue
  private unowned let clock: any VirtualClock
  public var report: ((_ domain: UInt16, _ device: String, _ text: String) -> Void)?
  public private(set) var backEnds: [BackEnd] = []

  private var handler: EventHandlerID?
  private var work: [UInt64: () -> Void] = [:]
  private var nextTag: UInt64 = 0

  /// While the machine is assembled: this registers a handler of its event queue.
  public init(store: XenStore, events: EventChannels, grants: GrantTables, queue: EventQueue, clock: any VirtualClock) {
    (self.store, self.events, self.grants, self.queue, self.clock) = (store, events, grants, queue, clock)
    handler = queue.register { [weak self] _, tag in self?.work.removeValue(forKey: tag)?() }
  }

  // MARK: Time

  public var now: UInt64 { clock.now }

  /// Runs something at a cycle; what ``cancel(_:)`` takes.
  func schedule(at cycle: UInt64, _ action: @escaping () -> Void) -> UInt64 {
    nextTag += 1
    work[nextTag] = action
    if let handler { queue.schedule(handler, tag: nextTag, at: max(cycle, clock.now)) }
    return nextTag
  }

  func cancel(_ tag: UInt64) {
    guard work.removeValue(forKey: tag) != nil, let handler else { return }
    queue.cancel(handler, tag: tag)
  }

  // MARK: Devices

  /// Makes a device's directories, as xend does, and starts its back end. `name`: the domain's.
  public func plug(_ backEnd: BackEnd, name: String) throws(StoreError) {
    guard !store.exists(backEnd.path) else { throw .exists }
    let (domain, front, back) = (backEnd.domain, backEnd.frontPath, backEnd.path)
    try store.transaction {
      $0.makeDirectory(front)
      $0.setPermissions(front, [StorePermission(.none, domain), StorePermission(.read, DomainNumber.host)])
      $0.write(front + "/backend", back)
      $0.write(front + "/backend-id", "0")
      for (key, value) in backEnd.frontKeys { $0.write(front + "/" + key, value) }
      $0.write(front + "/state", XenbusState.initialising.text)
      $0.makeDirectory(back)
      $0.setPermissions(back, [StorePermission(.none, DomainNumber.host), StorePermission(.read, domain)])
      $0.write(back + "/frontend", front)
      $0.write(back + "/frontend-id", String(domain))
      $0.write(back + "/domain", name)
      $0.write(back + "/online", "1")
      for (key, value) in backEnd.backKeys { $0.write(back + "/" + key, value) }
      $0.write(back + "/state", XenbusState.initialising.text)
    }
    backEnds.append(backEnd)
    try backEnd.start()
  }

  /// Asks a device to go. It is gone when its front end has let it go: ``BackEnd/isGone``.
  public func unplug(_ backEnd: BackEnd) throws(StoreError) {
    try store.write(backEnd.path + "/online", "0")
    backEnd.beginClosing()
  }

  /// A device goes without its front end's consent.
  public func destroy(_ backEnd: BackEnd) { backEnd.disappear() }

  /// All devices of a domain go, and with them what they had mapped.
  public func domainGone(_ domain: UInt16) {
    for backEnd in backEnds where backEnd.domain == domain { destroy(backEnd) }
  }

  /// What xend does when a device has gone.
  func forget(_ backEnd: BackEnd) {
    backEnds.removeAll { $0 === backEnd }
    do throws(StoreError) {
      try store.transaction {
        $0.remove(backEnd.path)
        if store.exists(backEnd.frontPath) { $0.remove(backEnd.frontPath) }
      }
    } catch {
      backEnd.report("its directories cannot be removed: \(error)")
    }
  }
}
