import Foundation
import Inspection
import Processor
import TestSupport
import Testing

/// Whatever comes over the line, nothing but the guest takes harm: no crash, no endless answer, and an orderly packet is answered after it.
@Suite("gdb's protocol, hostile clients", .ends(withinMinutes: 5)) struct HostilePacketTests {
  private static let program = """
    loop:
    { .mmi
      st8 [r5]=r14
      ld8 r11=[r5]
      adds r14=1,r14 ;;
    }
    { .mib
      alloc r40=ar.pfs,0,16,0,8
      adds r15=1,r15
      br.cond.sptk.many loop ;;
    }
    """

  /// Packets of the protocol, to be damaged.
  private static let words = [
    "?", "g", "G00", "p0", "p1ff", "P8=0102030405060708", "P14c=0000000000200000", "P14b=0000100000000000", "m200000,40",
    "M200000,2:0102",
    "X200000,3:abc", "Hg1", "Hc-1", "T1", "Z0,100000,0", "z0,100000,0", "Z1,100010,0", "Z2,200000,8", "Z3,200000,8", "Z4,0,10000",
    "z4,0,10000",
    "c", "C05", "s", "S05;100000", "s100010", "bs", "bc", "vCont?", "vCont;c", "vCont;s:1;c", "vCont;S05:2", "qSupported:swbreak+",
    "qfThreadInfo", "qThreadExtraInfo,1", "qRcmd,746c62", "qRcmd,68656c70", "qXfer:features:read:target.xml:0,fff",
    "qXfer:threads:read::0,fff",
    "qC", "qSymbol::", "QStartNoAckMode", "QNonsense", "D", "k", "vKill;1", "!", "R00", "i", "\u{7F}",
  ]

  private static var seed: UInt64 {
    ProcessInfo.processInfo.environment["EPICURE_FUZZ_SEED"].flatMap { UInt64($0) } ?? 20_261
  }

  private static func damaged(_ random: inout SplitMix) -> [UInt8] {
    var bytes = Array((words.randomElement(using: &random) ?? "").utf8)
    switch random.next() % 6 {
    case 0: break
    case 1: bytes = Array(bytes.prefix(Int(random.next() % UInt64(bytes.count + 1))))
    case 2: bytes += [UInt8](repeating: UInt8(ascii: "f"), count: Int(random.next() % 200))
    case 3:
      if let place = bytes.indices.randomElement(using: &random) { bytes[place] = UInt8(truncatingIfNeeded: random.next() >> 20) }
    case 4:
      if let place = bytes.indices.randomElement(using: &random) { bytes.insert(contentsOf: Array(",:;=-+"[...].utf8), at: place) }
    default: bytes = (0..<random.next() % 40).map { _ in UInt8(truncatingIfNeeded: random.next() >> 20) }
    }
    return bytes
  }

  @Test func randomPackets() throws {
    var random = SplitMix(state: Self.seed)
    let count = ProcessInfo.processInfo.environment["EPICURE_COMPLETE"] == "1" ? 200_000 : 4000
    var guest = try Debuggee(Self.program, processors: 2)
    for n in 0..<count {
      if n % 500 == 499 { guest = try Debuggee(Self.program, processors: 2) }
      guest.session.receive(PacketReader.frame(Self.damaged(&random)))
      if guest.debugger.stop == nil { guest.run(cycles: 2000) }
      let answer = guest.session.takeOutput()
      #expect(answer.count < 1 << 17, "seed \(Self.seed), packet \(n)")
    }
    #expect(guest.ask("?").last?.hasPrefix("T0") == true, "seed \(Self.seed)")
  }

  /// Bytes that are no packets.
  @Test func randomBytes() throws {
    var random = SplitMix(state: Self.seed)
    let guest = try Debuggee(Self.program)
    for _ in 0..<200 {
      guest.session.receive((0..<1000).map { _ in "$#}+-0123456789abcdefmMgGpP\u{3}".utf8.randomElement(using: &random) ?? 0 })
      if guest.debugger.stop == nil { guest.run(cycles: 2000) }
      #expect(guest.session.takeOutput().count < 1 << 22, "seed \(Self.seed)")
    }
    // The end of whatever has begun.
    guest.session.receive(Array("#00".utf8))
    _ = guest.session.takeOutput()
    #expect(guest.ask("?").last?.hasPrefix("T0") == true, "seed \(Self.seed)")
  }

  /// A client that sends, and reads nothing, is noticed before it has taken much memory.
  @Test func readsNothing() throws {
    let guest = try Debuggee(Self.program)
    let packet = PacketReader.frame(Array("g".utf8))
    var sent = 0
    while !guest.session.isStuck, sent < 10_000 {
      guest.session.receive(packet)
      sent += 1
    }
    #expect(guest.session.isStuck)
  }

  /// While the machine runs packets wait, but not without limit.
  @Test func sendsWhileItRuns() throws {
    let guest = try Debuggee(Self.program)
    guest.session.receive(PacketReader.frame(Array("c".utf8)))
    for _ in 0..<100_000 { guest.session.receive(PacketReader.frame(Array("?".utf8))) }
    _ = guest.session.takeOutput()
    guest.run(cycles: 1000)
    #expect((1...100).contains(guest.answers().count))
  }
}
