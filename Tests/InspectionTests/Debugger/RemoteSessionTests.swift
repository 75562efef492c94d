import Inspection
import Processor
import Testing

/// gdb's manual, "GDB Remote Serial Protocol"; register numbers are those of gdb's ia64-tdep.h.
@Suite("gdb's protocol") struct RemoteSessionTests {
  private static let program = """
    { .mii
      adds r8=1,r0
      adds r9=2,r0 ;;
      adds r10=3,r8 ;;
    }
    { .mmi
      st8 [r5]=r10 ;;
      ld8 r11=[r5]
      adds r12=5,r0 ;;
    }
    loop:
    { .mib
      adds r14=1,r14
      nop.i 0
      br.cond.sptk.many loop ;;
    }
    """
  private let guest: Debuggee

  init() throws {
    guest = try Debuggee(Self.program, processors: 2)
    // Without it gdb is not told why it stops.
    _ = guest.ask("qSupported:swbreak+;hwbreak+")
  }

  @Test func introduction() throws {
    let answer = try #require(guest.ask("qSupported:multiprocess+;swbreak+;hwbreak+").first)
    for feature in ["PacketSize=4000", "QStartNoAckMode+", "swbreak+", "hwbreak+", "vContSupported+"] {
      #expect(answer.split(separator: ";").contains { $0 == feature }, "\(answer)")
    }
    #expect(!answer.contains("Reverse"))
    #expect(guest.ask("?") == ["T05thread:1;"])
    #expect(guest.ask("vMustReplyEmpty") == [""])
    #expect(guest.ask("vCont?") == ["vCont;c;C;s;S"])
    #expect(guest.ask("qAttached") == ["1"])
    #expect(guest.ask("Nonsense") == [""])
    #expect(guest.ask("") == [""])
  }

  @Test func threads() {
    #expect(guest.ask("qfThreadInfo") == ["m1,2"])
    #expect(guest.ask("qsThreadInfo") == ["l"])
    #expect(guest.ask("T2") == ["OK"])
    #expect(guest.ask("T3") == ["E16"])
    #expect(guest.ask("Hg2") == ["OK"])
    // r4 is the processor's number.
    #expect(guest.register(4) == 1)
    #expect(guest.ask("Hg1") == ["OK"])
    #expect(guest.register(4) == 0)
    #expect(guest.ask("Hg3") == ["E16"])
    #expect(guest.ask("Hgffffffffffffffffff") == ["E16"])
  }

  @Test func registers() throws {
    let all = try #require(guest.ask("g").first)
    // 462 registers, 8 bytes each but for the 128 of floating point.
    #expect(all.count == (462 + 128) * 16)
    #expect(guest.position == Debuggee.code)
    #expect(guest.ask("P8=efcdab8967452301") == ["OK"])
    #expect(guest.register(8) == 0x0123_4567_89AB_CDEF)
    // f1 is 1.0: significand, then sign and exponent. It and r0 cannot be changed.
    #expect(guest.ask("p81") == ["0000000000000080ffff000000000000"])
    #expect(guest.ask("P0=0100000000000000") == ["E16"])
    #expect(guest.ask("P81=00000000000000000000000000000000") == ["E16"])
    // r32 is not in a frame of none; there is no register 462.
    #expect(guest.ask("p20") == [String(repeating: "x", count: 16)])
    #expect(guest.ask("p1ce") == ["E16"])
    // What the architecture would not take: a reserved bit of PSR, its slot 3, an address in the middle of a bundle.
    for packet in ["P14c=ffffffffffffffff", "P14c=0000000000060000", "P14b=0800100000000000", "P8=12", "P8", "Pzz=0"] {
      #expect(guest.ask(packet) == ["E16"], "\(packet)")
    }
  }

  @Test func memory() {
    #expect(guest.ask("M200000,4:01020304") == ["OK"])
    #expect(guest.ask("m200000,4") == ["01020304"])
    #expect(guest.ask("X200002,2:ab") == ["OK"])
    #expect(guest.ask("m200000,4") == ["01026162"])
    // Nothing is there; numbers that do not fit; counts that are not those of the bytes.
    #expect(guest.ask("mfffffffffffff,4") == ["E0e"])
    for packet in [
      "m1ffffffffffffffff,4", "m,", "m200000", "M200000,2:01", "M200000,1:zz", "M200000,ffffffffffffffff:00", "X200000,3:ab",
    ] {
      #expect(guest.ask(packet) == ["E16"], "\(packet)")
    }
    // As much as fits into a packet.
    #expect(guest.ask("m0,ffffffffffffffff").first?.count == PacketReader.limit)
  }

  @Test func breakpoints() {
    #expect(guest.ask("Z0,100001,0") == ["OK"])
    #expect(guest.ask("vCont;c") == ["T05swbreak:;thread:1;"])
    #expect(guest.position == Debuggee.code + 1)
    #expect(guest.register(8) == 1)
    #expect(guest.register(9) == 0)
    // The other processor is where its turn left it, and stops at the same place when it comes there.
    #expect(guest.ask("Z1,100020,10") == ["OK"])
    #expect(guest.ask("z0,100001,0") == ["OK"])
    #expect(guest.ask("vCont;c") == ["T05hwbreak:;thread:1;"])
    #expect(guest.position == Debuggee.code + 0x20)
    #expect(guest.register(12) == 5)
    #expect(guest.ask("z1,100020,10") == ["OK"])
    // There is no slot 3 and no such kind.
    #expect(guest.ask("Z0,100003,0") == ["E16"])
    #expect(guest.ask("Z5,100000,0") == [""])
    #expect(guest.ask("Z0,100000") == ["E16"])
    // It runs until it is interrupted, as Ctrl-C does.
    #expect(guest.ask("vCont;c").first?.hasPrefix("T02thread:") == true)
  }

  @Test func steps() {
    var places: [UInt64?] = []
    for _ in 0..<9 {
      #expect(guest.ask("vCont;s:1;c") == ["T05thread:1;"])
      places.append(guest.position)
    }
    let code = Debuggee.code
    #expect(places == [code + 1, code + 2, code + 16, code + 17, code + 18, code + 32, code + 33, code + 34, code + 32])
    #expect(guest.register(14) == 1)
    // A step that begins elsewhere.
    #expect(guest.ask("s100000") == ["T05thread:1;"])
    #expect(guest.position == code + 1)
  }

  /// The access has been made when the machine stops, and the instruction behind it is the next.
  @Test func watches() {
    #expect(guest.ask("Z2,200000,8") == ["OK"])
    #expect(guest.ask("c") == ["T05watch:200000;thread:1;"])
    #expect(guest.position == Debuggee.code + 17)
    #expect(guest.ask("m200000,8") == ["0400000000000000"])
    #expect(guest.ask("z2,200000,8") == ["OK"])
    #expect(guest.ask("Z3,200007,1") == ["OK"])
    #expect(guest.ask("c") == ["T05rwatch:200007;thread:1;"])
    #expect(guest.position == Debuggee.code + 18)
    #expect(guest.register(11) == 4)
    #expect(guest.ask("z3,200007,1") == ["OK"])
    // The second processor makes both accesses.
    #expect(guest.ask("Z4,200004,2") == ["OK"])
    #expect(guest.ask("c") == ["T05awatch:200004;thread:2;"])
    #expect(guest.ask("Z4,200000,ffffffffffffffff") == ["E1c"])
  }

  @Test func monitor() {
    func monitor(_ text: String) -> String {
      let digits = text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
      let answer = guest.ask("qRcmd,\(digits)")
      #expect(answer.last == "OK")
      return answer.dropLast().map { packet in
        let pairs = Array(packet.dropFirst().utf8)
        return String(
          decoding: stride(from: 0, to: pairs.count, by: 2).compactMap {
            UInt8(String(decoding: pairs[$0..<$0 + 2], as: UTF8.self), radix: 16)
          },
          as: UTF8.self)
      }.joined()
    }
    let help = monitor("help")
    for line in help.split(separator: "\n") {
      // Every command answers something, also without the arguments that it takes.
      #expect(!monitor(String(line.prefix { $0 != " " })).isEmpty, "\(line)")
    }
    #expect(monitor("nonsense").contains("help"))
    #expect(monitor("translate 200000").contains("physical"))
    // With PSR.it and PSR.dt clear.
    let explained = monitor("explain 200000 execute")
    #expect(explained.contains("PSR.it is 0: the address is physical"), "\(explained)")
    #expect(explained.contains("the reference is made"), "\(explained)")
    #expect(monitor("explain 200000 eat").contains("read, write or execute"))
    #expect(monitor("sapic").contains("lid"))
  }

  @Test func detaches() {
    _ = guest.ask("Z0,100020,0")
    guest.session.receive(PacketReader.frame(Array("D".utf8)))
    #expect(guest.session.wish == .detach)
    #expect(guest.debugger.stop == nil && guest.debugger.breakpoints.isEmpty)
    #expect(guest.machine.run(until: 10_000) == .limit)
  }

  // MARK: Going back

  private final class Past: ReverseDebugging {
    var calls: [String] = []
    func stepBack(processor: Int) -> Debugger.Stop {
      calls.append("step \(processor)")
      return Debugger.Stop(processor: processor, reason: .step)
    }
    func continueBack() -> Debugger.Stop {
      calls.append("continue")
      return Debugger.Stop(processor: 1, reason: .beginning)
    }
  }

  @Test func reverse() throws {
    #expect(guest.ask("bs") == [""])
    let past = Past()
    guest.debugger.reverse = past
    let offer = try #require(guest.ask("qSupported:").first)
    #expect(offer.contains("ReverseStep+") && offer.contains("ReverseContinue+"))
    #expect(guest.ask("bs") == ["T05thread:1;"])
    #expect(guest.ask("bc") == ["T05replaylog:begin;thread:2;"])
    #expect(past.calls == ["step 0", "continue"])
  }

  // MARK: Others that stop the machine

  /// As a tracepoint's condition does, in the middle of whatever the machine does.
  @Test func stopRequested() {
    guest.machine.events.schedule(
      guest.machine.events.register { [guest] _, _ in guest.debugger.stopRequested(reason: "r14 is large") }, at: 500)
    let answer = guest.ask("vCont;c")
    #expect(answer.count == 2)
    // "epicure: r14 is large\n", in hexadecimal.
    #expect(answer.first == "O" + "epicure: r14 is large\n".utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
    #expect(answer.last?.hasPrefix("T05thread:") == true)
    #expect(guest.machine.now >= 500 && guest.machine.now < 2000)
  }
}
