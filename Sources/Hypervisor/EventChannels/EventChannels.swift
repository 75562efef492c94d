/// Event channels of all domains of a host: one-bit signals between domains, from a domain's processor to another, and from the hypervisor.
///
/// - ``add(_:)`` and ``remove(_:)``: domains come and go. What was connected to one that goes waits for it, unbound.
/// - ``allocateUnbound(in:for:)``, ``bindInterdomain(in:to:port:)``, ``bindVirtualInterrupt(in:_:processor:)``,
///   ``bindInterprocessor(in:processor:)``, ``bind(_:in:to:)``, ``close(_:in:)``, ``send(_:from:)``, ``status(of:in:)``, ``unmask(_:in:)``,
///   ``reset(_:)``: the operations, by the number of the domain whose ports they are about. Who may do them for whom is decided in
///   ``perform(_:arguments:for:)``, which takes a guest's arguments.
/// - ``raise(_:in:processor:)``: a VIRQ. ``raiseLine(_:in:)``: an interrupt of a device that the domain owns.
/// - ``poll(_:by:in:)`` and ``stopPolling(_:in:)``: sched_op's poll.
/// - ``allocateHost(for:handler:)``, ``bindHost(to:port:handler:)``, ``closeHost(_:)``, ``sendFromHost(_:)``: ports of domain 0, which is
///   Swift code here. Handlers are called in the middle of the guest's call: they decide what to put off.
public final class EventChannels {
  private var tables: [UInt16: EventPorts] = [:]
  private let host = EventPorts(number: DomainNumber.host, domain: nil)
  /// Whether a domain owns an interrupt line of the machine. Nobody does as long as this is nil.
  public var ownsLine: ((_ domain: UInt16, _ line: UInt32) -> Bool)?

  /// Told of every send: whose, to which port of which domain. Nil: nobody looks.
  public var observer: ((_ from: UInt16, _ port: UInt32, _ to: UInt16, _ peer: UInt32) -> Void)?

  public init() { tables[DomainNumber.host] = host }

  // MARK: Domains

  public func add(_ domain: any ServicedDomain) {
    precondition(tables[domain.domainNumber] == nil, "a domain of this number has event channels")
    tables[domain.domainNumber] = EventPorts(number: domain.domainNumber, domain: domain)
  }

  /// Closes all that the domain has; what waits for it goes on waiting, as for any number that may come back.
  public func remove(_ number: UInt16) {
    guard number != DomainNumber.host, let table = tables[number] else { return }
    closeAll(table)
    tables[number] = nil
  }

  func table(_ number: UInt16) throws(XenError) -> EventPorts {
    guard let table = tables[number] else { throw .noSuchDomain }
    return table
  }

  /// What a port of a domain is connected to; ``EventChannel/Connection/closed`` for what it does not have.
  public func status(of port: UInt32, in domain: UInt16) throws(XenError) -> EventChannel {
    guard port < SharedInfo.ports else { throw .invalid }
    return try table(domain)[port]
  }

  // MARK: Opening

  public func allocateUnbound(in domain: UInt16, for remote: UInt16) throws(XenError) -> UInt32 {
    try table(domain).take(.unbound(remote: remote))
  }

  /// Connects a new port to one that waits for this domain. The new port is pending at once, since the peer may have sent before.
  public func bindInterdomain(in domain: UInt16, to remote: UInt16, port: UInt32) throws(XenError) -> UInt32 {
    let (local, peer) = (try table(domain), try table(remote))
    guard peer[port].connection == .unbound(remote: domain) else { throw .invalid }
    let new = try local.take(.interdomain(domain: remote, port: port))
    peer[port].connection = .interdomain(domain: domain, port: new)
    local.raise(new)
    return new
  }

  public func bindVirtualInterrupt(in domain: UInt16, _ interrupt: UInt32, processor: UInt32) throws(XenError) -> UInt32 {
    let table = try table(domain)
    guard interrupt < VirtualInterrupt.count, !VirtualInterrupt.isGlobal(interrupt) || processor == 0 else { throw .invalid }
    guard table.hasProcessor(processor) else { throw .noEntry }
    guard port(of: interrupt, processor: Int(processor), table) == nil else { throw .exists }
    return try table.take(.virtual(interrupt: interrupt), processor: Int(processor))
  }

  public func bindInterprocessor(in domain: UInt16, processor: UInt32) throws(XenError) -> UInt32 {
    let table = try table(domain)
    guard table.hasProcessor(processor) else { throw .noEntry }
    return try table.take(.interprocessor, processor: Int(processor))
  }

  public func bindLine(in domain: UInt16, _ line: UInt32) throws(XenError) -> UInt32 {
    let table = try table(domain)
    guard ownsLine?(domain, line) == true else { throw .notPermitted }
    guard !table.channels.contains(where: { $0.connection == .physical(line: line) }) else { throw .exists }
    return try table.take(.physical(line: line))
  }

  /// Another virtual processor is told from now on.
  public func bind(_ port: UInt32, in domain: UInt16, to processor: UInt32) throws(XenError) {
    let table = try table(domain)
    guard table.hasProcessor(processor) else { throw .noEntry }
    switch try table.open(port).connection {
    case .virtual(let interrupt) where !VirtualInterrupt.isGlobal(interrupt): throw .invalid
    case .closed, .interprocessor: throw .invalid
    case .unbound, .interdomain, .physical, .virtual: table[port].processor = Int(processor)
    }
  }

  // MARK: Closing

  public func close(_ port: UInt32, in domain: UInt16) throws(XenError) {
    let table = try table(domain)
    _ = try table.open(port)
    shut(port, table)
  }

  /// Closes every port of the domain.
  public func reset(_ domain: UInt16) throws(XenError) { closeAll(try table(domain)) }

  private func closeAll(_ table: EventPorts) {
    for port in table.channels.indices where table.channels[port].connection != .closed { shut(UInt32(port), table) }
    table.polled = [:]
  }

  private func shut(_ port: UInt32, _ table: EventPorts) {
    // A domain may be its own peer.
    if case .interdomain(let remote, let peerPort) = table[port].connection, let peer = tables[remote] {
      peer[peerPort].connection = .unbound(remote: table.number)
    }
    table[port] = EventChannel()
    table.handlers[port] = nil
    table.domain?.sharedInfo.setPending(Int(port), false)
  }

  // MARK: Sending

  public func send(_ port: UInt32, from domain: UInt16) throws(XenError) {
    let table = try table(domain)
    switch try table.open(port).connection {
    case .interdomain(let remote, let peer):
      observer?(domain, port, remote, peer)
      tables[remote]?.raise(peer)
    case .interprocessor:
      observer?(domain, port, domain, port)
      table.raise(port)
    // Nobody is there yet; Linux kernels that close a device do this.
    case .unbound: break
    case .closed, .physical, .virtual: throw .invalid
    }
  }

  /// Clears a port's mask, and tells its processor of what has come meanwhile.
  public func unmask(_ port: UInt32, in domain: UInt16) throws(XenError) {
    let table = try table(domain)
    guard port < SharedInfo.ports else { throw .invalid }
    guard let guest = table.domain, guest.sharedInfo.isMasked(Int(port)) else { return }
    guest.sharedInfo.setMasked(Int(port), false)
    if guest.sharedInfo.isPending(Int(port)) { table.select(port, guest) }
  }

  private func port(of interrupt: UInt32, processor: Int, _ table: EventPorts) -> UInt32? {
    let isGlobal = VirtualInterrupt.isGlobal(interrupt)
    return table.channels.firstIndex {
      $0.connection == .virtual(interrupt: interrupt) && (isGlobal || $0.processor == processor)
    }.map(UInt32.init)
  }

  /// Raises a VIRQ of a virtual processor, or of the domain. False: it is not bound.
  @discardableResult
  public func raise(_ interrupt: UInt32, in domain: UInt16, processor: Int = 0) -> Bool {
    guard let table = tables[domain], let port = port(of: interrupt, processor: processor, table) else { return false }
    table.raise(port)
    return true
  }

  /// An interrupt line of the machine is active. False: the domain has not bound it.
  @discardableResult
  public func raiseLine(_ line: UInt32, in domain: UInt16) -> Bool {
    guard let table = tables[domain],
      let port = table.channels.firstIndex(where: { $0.connection == .physical(line: line) })
    else { return false }
    table.raise(UInt32(port))
    return true
  }

  // MARK: Polling

  /// Ports that one virtual processor may wait for.
  public static let pollLimit = 128

  /// A virtual processor wants to sleep until one of the ports is pending, masked or not. True: it has to, and
  /// ``ServicedDomain/upcall(_:)`` ends that once, or ``stopPolling(_:in:)`` does when its time is over. False: there is something already.
  public func poll(_ ports: [UInt32], by processor: Int, in domain: UInt16) throws(XenError) -> Bool {
    let table = try table(domain)
    guard let guest = table.domain, ports.count <= Self.pollLimit else { throw .invalid }
    guard ports.allSatisfy({ $0 < SharedInfo.ports }) else { throw .invalid }
    let shared = guest.sharedInfo
    if shared.upcallPending(processor) && !shared.upcallMasked(processor) { return false }
    if ports.contains(where: { shared.isPending(Int($0)) }) { return false }
    table.polled[processor] = ports
    return true
  }

  public func stopPolling(_ processor: Int, in domain: UInt16) { tables[domain]?.polled[processor] = nil }
  public func isPolling(_ processor: Int, in domain: UInt16) -> Bool { tables[domain]?.polled[processor] != nil }

  // MARK: Domain 0

  /// A port of domain 0 that waits for a domain. `handler` is called whenever that sends.
  public func allocateHost(for remote: UInt16, handler: @escaping () -> Void) throws(XenError) -> UInt32 {
    let port = try host.take(.unbound(remote: remote))
    host.handlers[port] = handler
    return port
  }

  /// Connects a new port of domain 0 to one that waits for it. The handler is not called for what was sent before: the caller looks.
  public func bindHost(to domain: UInt16, port: UInt32, handler: @escaping () -> Void) throws(XenError) -> UInt32 {
    let local = try bindInterdomain(in: DomainNumber.host, to: domain, port: port)
    host.handlers[local] = handler
    return local
  }

  /// No more calls of its handler. What is not open stays so.
  public func closeHost(_ port: UInt32) {
    if host[port].connection != .closed { shut(port, host) }
  }

  /// Tells the peer of a port of domain 0. Nothing happens if there is none.
  public func sendFromHost(_ port: UInt32) {
    guard case .interdomain(let remote, let peer) = host[port].connection else { return }
    observer?(DomainNumber.host, port, remote, peer)
    tables[remote]?.raise(peer)
  }
}
