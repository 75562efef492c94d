import Hypervisor
import Testing

/// The structures of event_channel_op (sizes and offsets: xen/include/public/event_channel.h), and guests that pass nonsense.
@Suite("Event channel calls") struct EventChannelCallTests {
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

  @Test func sizes() {
    let sizes = [12, 12, 12, 4, 4, 0x18, 8, 8, 8, 4, 2]
    for (command, size) in sizes.enumerated() { #expect(EventChannels.argumentSize(UInt64(command)) == size) }
    #expect(EventChannels.argumentSize(11) == nil)
    var none: [UInt8] = []
    #expect(channels.perform(11, arguments: &none, for: one) == -38)
    #expect(channels.perform(4, arguments: &none, for: one) == -14)
  }

  @Test func fieldsAreWhereTheHeaderSays() throws {
    // alloc_unbound: dom SELF, remote_dom 2 -> port at +4.
    var unbound: [UInt8] = [0xF0, 0x7F, 2, 0, 0, 0, 0, 0]
    #expect(channels.perform(6, arguments: &unbound, for: one) == 0)
    #expect(unbound == [0xF0, 0x7F, 2, 0, 1, 0, 0, 0])
    // bind_interdomain: remote_dom 1, remote_port 1 -> local_port at +8.
    var bind: [UInt8] = [1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
    #expect(channels.perform(0, arguments: &bind, for: two) == 0)
    #expect(bind[8...] == [1, 0, 0, 0])
    // status: 2 interdomain, vcpu 0, dom 2 port 1.
    var status: [UInt8] = [0xF0, 0x7F, 0, 0, 1, 0, 0, 0] + [UInt8](repeating: 0, count: 16)
    #expect(channels.perform(5, arguments: &status, for: one) == 0)
    #expect(status[8...] == [2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0])
    // bind_virq: DEBUG on vcpu 1.
    var virtual: [UInt8] = [1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
    #expect(channels.perform(1, arguments: &virtual, for: one) == 0 && virtual[8] == 2)
    // bind_ipi on vcpu 1.
    var interprocessor: [UInt8] = [1, 0, 0, 0, 0, 0, 0, 0]
    #expect(channels.perform(7, arguments: &interprocessor, for: one) == 0 && interprocessor[4] == 3)
    var three: [UInt8] = [3, 0, 0, 0]
    #expect(channels.perform(4, arguments: &three, for: one) == 0 && one.takeEvents(1) == [3])
    var line: [UInt8] = [9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    #expect(channels.perform(2, arguments: &line, for: one) == -1)
    #expect(channels.perform(3, arguments: &three, for: one) == 0)
    #expect(channels.perform(3, arguments: &three, for: one) == -22)
    var moved: [UInt8] = [1, 0, 0, 0, 1, 0, 0, 0]
    #expect(channels.perform(8, arguments: &moved, for: one) == 0)
    #expect(try channels.status(of: 1, in: 1).processor == 1)
    var all: [UInt8] = [0xF0, 0x7F]
    #expect(channels.perform(10, arguments: &all, for: one) == 0)
    #expect(
      try channels.status(of: 1, in: 2).connection == .closed || channels.status(of: 1, in: 2).connection == .unbound(remote: 1))
  }

  @Test func guestsMayNotNameOthers() {
    var unbound: [UInt8] = [2, 0, 1, 0, 0, 0, 0, 0]
    #expect(channels.perform(6, arguments: &unbound, for: one) == -1)
    var reset: [UInt8] = [2, 0]
    #expect(channels.perform(10, arguments: &reset, for: one) == -1)
  }

  /// Whatever guests pass: both ends of a connection always agree, and nothing of the other domain is touched but the peer's pending bit.
  @Test(arguments: [1, 2, 3] as [UInt64]) func connectionsAgreeWhateverGuestsDo(seed: UInt64) throws {
    print("event channels, seed \(seed)")
    var random = SeededGenerator(state: seed)
    for _ in 0..<20_000 {
      let domain = Bool.random(using: &random) ? one : two
      let command = UInt64.random(in: 0...11, using: &random)
      var arguments = [UInt8](repeating: 0, count: EventChannels.argumentSize(command) ?? 4)
      for index in arguments.indices { arguments[index] = [0, 0, 0, 1, 2, 3, 0x7F, 0xF0, 0xFF].randomElement(using: &random) ?? 0 }
      if arguments.count >= 4, Bool.random(using: &random) { arguments.replaceSubrange(0..<2, with: [0xF0, 0x7F]) }
      // Resets would leave nothing to look at.
      if command == 10, UInt8.random(in: 0...63, using: &random) != 0 { continue }
      let result = channels.perform(command, arguments: &arguments, for: domain)
      #expect(result <= 0)
    }
    for domain in [one, two] {
      for port in 0..<4096 as Range<UInt32> {
        guard case .interdomain(let peer, let peerPort) = try channels.status(of: port, in: domain.domainNumber).connection else {
          continue
        }
        #expect(
          try channels.status(of: peerPort, in: peer).connection == .interdomain(domain: domain.domainNumber, port: port))
      }
    }
  }
}
