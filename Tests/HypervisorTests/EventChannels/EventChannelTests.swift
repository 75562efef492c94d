import Hypervisor
import Testing

/// Expected values: xen/include/public/event_channel.h and the behaviour of xen/common/event_channel.c.
@Suite("Event channels") struct EventChannelTests {
  let channels = EventChannels()
  let one: ServiceDomain
  let two: ServiceDomain

  init() throws {
    let pool = try FramePool(size: 16 << 20, kept: 1 << 20)
    one = try ServiceDomain(1, pool: pool)
    two = try ServiceDomain(2, pool: pool)
    channels.add(one)
    channels.add(two)
  }

  private func connected() throws -> (one: UInt32, two: UInt32) {
    let first = try channels.allocateUnbound(in: 1, for: 2)
    let second = try channels.bindInterdomain(in: 2, to: 1, port: first)
    _ = two.takeEvents()
    two.upcalls = []
    return (first, second)
  }

  @Test func connectingRaisesTheNewPort() throws {
    let first = try channels.allocateUnbound(in: 1, for: 2)
    #expect(first == 1)
    let second = try channels.bindInterdomain(in: 2, to: 1, port: first)
    #expect(two.upcalls == [0] && two.takeEvents() == [Int(second)] && one.upcalls.isEmpty)
    #expect(try channels.status(of: first, in: 1).connection == .interdomain(domain: 2, port: second))
    #expect(try channels.status(of: second, in: 2).connection == .interdomain(domain: 1, port: first))
  }

  @Test func onlyTheReservedDomainMayConnect() throws {
    let port = try channels.allocateUnbound(in: 1, for: 0)
    #expect(throws: XenError.invalid) { try channels.bindInterdomain(in: 2, to: 1, port: port) }
    #expect(throws: XenError.invalid) { try channels.bindInterdomain(in: 2, to: 1, port: 77) }
    #expect(throws: XenError.invalid) { try channels.bindInterdomain(in: 2, to: 1, port: .max) }
    #expect(throws: XenError.noSuchDomain) { try channels.bindInterdomain(in: 2, to: 3, port: port) }
  }

  @Test func sendingSetsPendingSelectorAndUpcallOnce() throws {
    let ports = try connected()
    try channels.send(ports.one, from: 1)
    try channels.send(ports.one, from: 1)
    #expect(two.upcalls == [0])
    #expect(two.sharedInfo.isPending(Int(ports.two)) && two.sharedInfo.pendingSelector(0) == 1 && two.sharedInfo.upcallPending(0))
    #expect(two.takeEvents() == [Int(ports.two)])
    try channels.send(ports.two, from: 2)
    #expect(one.takeEvents() == [Int(ports.one)])
  }

  @Test func aMaskedPortWaitsForUnmask() throws {
    let ports = try connected()
    two.sharedInfo.setMasked(Int(ports.two), true)
    try channels.send(ports.one, from: 1)
    #expect(two.upcalls.isEmpty && two.sharedInfo.isPending(Int(ports.two)) && two.sharedInfo.pendingSelector(0) == 0)
    try channels.unmask(ports.two, in: 2)
    #expect(two.upcalls == [0] && two.takeEvents() == [Int(ports.two)])
    try channels.unmask(ports.two, in: 2)
    #expect(two.upcalls == [0])
    #expect(throws: XenError.invalid) { try channels.unmask(4096, in: 2) }
  }

  @Test func portsGoToTheProcessorTheyAreBoundTo() throws {
    let ports = try connected()
    try channels.bind(ports.two, in: 2, to: 1)
    try channels.send(ports.one, from: 1)
    #expect(two.upcalls == [1] && two.takeEvents(0) == [] && two.takeEvents(1) == [Int(ports.two)])
    #expect(throws: XenError.noEntry) { try channels.bind(ports.two, in: 2, to: 2) }
    #expect(throws: XenError.invalid) { try channels.bind(99, in: 2, to: 1) }
    let interprocessor = try channels.bindInterprocessor(in: 2, processor: 1)
    #expect(throws: XenError.invalid) { try channels.bind(interprocessor, in: 2, to: 0) }
    #expect(throws: XenError.noEntry) { try channels.bindInterprocessor(in: 2, processor: 2) }
    // A port that is closed and opened again is processor 0's.
    try channels.close(ports.two, in: 2)
    #expect(try channels.allocateUnbound(in: 2, for: 1) == ports.two)
    #expect(try channels.status(of: ports.two, in: 2).processor == 0)
  }

  @Test func virtualInterruptsAreBoundOncePerProcessorOrDomain() throws {
    let timer = try channels.bindVirtualInterrupt(in: 1, VirtualInterrupt.intervalTimer, processor: 1)
    #expect(throws: XenError.exists) { try channels.bindVirtualInterrupt(in: 1, 16, processor: 1) }
    let other = try channels.bindVirtualInterrupt(in: 1, 16, processor: 0)
    #expect(channels.raise(16, in: 1, processor: 1))
    #expect(one.upcalls == [1] && one.takeEvents(1) == [Int(timer)])
    #expect(throws: XenError.invalid) { try channels.bind(other, in: 1, to: 1) }
    #expect(throws: XenError.invalid) { try channels.bindVirtualInterrupt(in: 1, VirtualInterrupt.console, processor: 1) }
    #expect(throws: XenError.invalid) { try channels.bindVirtualInterrupt(in: 1, 24, processor: 0) }
    #expect(throws: XenError.noEntry) { try channels.bindVirtualInterrupt(in: 1, 0, processor: 2) }
    #expect(!channels.raise(0, in: 1, processor: 0) && !channels.raise(16, in: 9))
    // Global ones may move, and are still only bound once.
    let console = try channels.bindVirtualInterrupt(in: 1, 2, processor: 0)
    try channels.bind(console, in: 1, to: 1)
    #expect(throws: XenError.exists) { try channels.bindVirtualInterrupt(in: 1, 2, processor: 0) }
    one.upcalls = []
    #expect(channels.raise(2, in: 1) && one.upcalls == [1])
    #expect(throws: XenError.invalid) { try channels.send(console, from: 1) }
  }

  @Test func linesNeedAnOwner() throws {
    #expect(throws: XenError.notPermitted) { try channels.bindLine(in: 1, 20) }
    channels.ownsLine = { domain, line in domain == 1 && line == 20 }
    let port = try channels.bindLine(in: 1, 20)
    #expect(throws: XenError.exists) { try channels.bindLine(in: 1, 20) }
    #expect(throws: XenError.notPermitted) { try channels.bindLine(in: 2, 20) }
    #expect(channels.raiseLine(20, in: 1) && one.takeEvents() == [Int(port)])
    #expect(!channels.raiseLine(20, in: 2))
  }

  @Test func closingLeavesThePeerUnbound() throws {
    let ports = try connected()
    try channels.send(ports.two, from: 2)
    try channels.close(ports.one, in: 1)
    #expect(!one.sharedInfo.isPending(Int(ports.one)))
    #expect(try channels.status(of: ports.two, in: 2).connection == .unbound(remote: 1))
    #expect(throws: XenError.invalid) { try channels.close(ports.one, in: 1) }
    #expect(throws: XenError.invalid) { try channels.send(ports.one, from: 1) }
    // Dropped without a word.
    try channels.send(ports.two, from: 2)
    #expect(try channels.bindInterdomain(in: 1, to: 2, port: ports.two) == ports.one)
  }

  @Test func aDomainThatGoesLeavesItsPeersUnbound() throws {
    let ports = try connected()
    var calls = 0
    let waiting = try channels.allocateUnbound(in: 1, for: 0)
    let host = try channels.bindHost(to: 1, port: waiting) { calls += 1 }
    channels.remove(1)
    #expect(try channels.status(of: ports.two, in: 2).connection == .unbound(remote: 1))
    #expect(try channels.status(of: host, in: 0).connection == .unbound(remote: 1))
    channels.sendFromHost(host)
    try channels.send(ports.two, from: 2)
    #expect(throws: XenError.noSuchDomain) { try channels.send(waiting, from: 1) }
    #expect(calls == 0)
  }

  @Test func aDomainMayBeItsOwnPeer() throws {
    let first = try channels.allocateUnbound(in: 1, for: 1)
    let second = try channels.bindInterdomain(in: 1, to: 1, port: first)
    _ = one.takeEvents()
    try channels.send(first, from: 1)
    #expect(one.takeEvents() == [Int(second)])
    try channels.reset(1)
    for port in [first, second] { #expect(try channels.status(of: port, in: 1).connection == .closed) }
  }

  @Test func hostPortsCallTheirHandlers() throws {
    var calls = 0
    let port = try channels.allocateHost(for: 1) { calls += 1 }
    let guest = try channels.bindInterdomain(in: 1, to: 0, port: port)
    try channels.send(guest, from: 1)
    try channels.send(guest, from: 1)
    #expect(calls == 2)
    _ = one.takeEvents()
    channels.sendFromHost(port)
    #expect(one.takeEvents() == [Int(guest)])
    channels.closeHost(port)
    channels.closeHost(port)
    try channels.send(guest, from: 1)
    #expect(calls == 2)
  }

  @Test func portsRunOut() throws {
    for port in 1...4095 as ClosedRange<UInt32> { #expect(try channels.allocateUnbound(in: 1, for: 2) == port) }
    #expect(throws: XenError.noSpace) { try channels.allocateUnbound(in: 1, for: 2) }
    let last = try channels.bindInterdomain(in: 2, to: 1, port: 4095)
    _ = two.takeEvents()
    try channels.send(last, from: 2)
    #expect(one.sharedInfo.pendingSelector(0) == 1 << 63 && one.takeEvents() == [4095])
  }

  @Test func pollersAreWokenByMaskedPorts() throws {
    let ports = try connected()
    two.sharedInfo.setMasked(Int(ports.two), true)
    #expect(try channels.poll([ports.two], by: 1, in: 2) && channels.isPolling(1, in: 2))
    try channels.send(ports.one, from: 1)
    #expect(two.upcalls == [1] && !channels.isPolling(1, in: 2))
    // Pending already: no sleep.
    #expect(try !channels.poll([ports.two], by: 1, in: 2))
    #expect(throws: XenError.invalid) { try channels.poll([4096], by: 1, in: 2) }
    #expect(throws: XenError.invalid) { try channels.poll([UInt32](repeating: 1, count: 129), by: 1, in: 2) }
    #expect(try channels.poll([ports.two + 1], by: 1, in: 2))
    channels.stopPolling(1, in: 2)
    #expect(!channels.isPolling(1, in: 2))
  }
}
