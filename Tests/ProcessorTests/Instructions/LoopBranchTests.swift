import Arithmetic
import IA64
import Processor
import TestSupport
import Testing

/// B1, B2 and clrrrb: loop counts, PR 63, and rotation (Volume 3, pages br and clrrrb; Volume 1, section 4.5.1).
@Suite("Loop branches", .ends(withinMinutes: 5))
struct LoopBranchTests {
  private static let fr: [UInt8] = [31, 32, 33, 64, 126, 127]

  /// A machine in front of a loop branch, each rotating register filled with its own number.
  private func machine(_ text: String, sor: Int, rotation: (gr: Int, fr: Int, pr: Int)) throws -> TestMachine {
    let machine = try TestMachine(
      "{ .mib\n nop 0\n nop 0\n \(text)\n }\nadds r4=1,r0 ;;\nbr.cond.sptk done ;;\ntaken: adds r4=2,r0 ;;\n"
        + "done: { .bbb\n br.cond.sptk done\n nop 0\n nop 0\n }")
    machine.each { p in
      let frame = UInt64(96 | 16 << 7 | sor << 14)
      p.setCFM(frame | UInt64(rotation.gr) << 18 | UInt64(rotation.fr) << 25 | UInt64(rotation.pr) << 32)
    }
    for n in 32..<128 { machine[gr: n] = UInt64(1000 + n) }
    machine[nat: 39] = true
    for n in 2..<128 { machine[fr: UInt8(n)] = FloatRegister(significand: UInt64(n), signExponent: 0x1003E) }
    for n in 1..<63 { machine[pr: n] = n % 3 == 0 || n % 7 == 0 }
    return machine
  }

  /// What the registers show after one rotation or none.
  private func check(
    _ machine: TestMachine, sor: Int, rotation: (gr: Int, fr: Int, pr: Int), rotated: Bool, p63: Bool?, _ comment: String
  ) {
    let size = sor * 8
    func before(_ n: Int, _ first: Int, _ count: Int) -> Int {
      n < first || n >= first + count || !rotated ? n : first + (n - first + count - 1) % count
    }
    for n in 32..<128 {
      #expect(machine[nat: UInt8(n)] == (before(n, 32, size) == 39), "NaT of r\(n), \(comment)")
      #expect(machine[gr: n] == UInt64(1000 + before(n, 32, size)), "r\(n), \(comment)")
    }
    for n in 2..<128 { #expect(machine[fr: UInt8(n)].significand == UInt64(before(n, 32, 96)), "f\(n), \(comment)") }
    for n in 1..<64 {
      let old = before(n, 16, 48)
      // The branch writes PR 63 before it rotates.
      let value = old == 63 ? p63 ?? false : old % 3 == 0 || old % 7 == 0
      #expect(machine[pr: n] == value, "p\(n), \(comment)")
    }
    func step(_ rrb: Int, _ count: Int) -> Int { !rotated || count == 0 ? rrb : (rrb + count - 1) % count }
    let expected =
      UInt64(96 | 16 << 7 | sor << 14 | step(rotation.gr, size) << 18) | UInt64(step(rotation.fr, 96)) << 25
      | UInt64(step(rotation.pr, 48)) << 32
    #expect(machine.blocks.cfm == expected, "CFM, \(comment)")
  }

  private static let rotations = [(0, 0, 0), (1, 1, 1), (7, 95, 47), (3, 40, 20)].map { (gr: $0.0, fr: $0.1, pr: $0.2) }

  @Test(arguments: ["ctop", "cexit"]) func counted(_ kind: String) throws {
    for (lc, ec) in [(0, 0), (0, 1), (0, 2), (0, 63), (1, 0), (2, 5), (UInt64.max, 1)] as [(UInt64, UInt64)] {
      for (index, rotation) in Self.rotations.enumerated() {
        let sor = [8, 1, 12, 2][index]
        let machine = try machine("br.\(kind).sptk.few taken", sor: sor, rotation: rotation)
        machine[ar: AR.lc] = lc
        machine[ar: AR.ec] = ec
        #expect(machine.run() == .done)
        let comment = "\(kind) LC \(lc) EC \(ec) sor \(sor) rotation \(rotation)"
        let stays = lc != 0 || ec > 1
        #expect(machine[gr: 4] == (stays == (kind == "ctop") ? 2 : 1), "\(comment)")
        #expect(machine[ar: AR.lc] == (lc == 0 ? 0 : lc - 1), "\(comment)")
        #expect(machine[ar: AR.ec] == (lc != 0 || ec == 0 ? ec : ec - 1), "\(comment)")
        check(machine, sor: sor, rotation: rotation, rotated: lc != 0 || ec != 0, p63: lc != 0, comment)
      }
    }
  }

  @Test(arguments: ["wtop", "wexit"]) func whileLoops(_ kind: String) throws {
    for predicate in [true, false] {
      for ec in [0, 1, 2, 63] as [UInt64] {
        for (index, rotation) in Self.rotations.enumerated() {
          let sor = [8, 1, 12, 2][index]
          // PR 9 is true, PR 10 false.
          let machine = try machine("(p\(predicate ? "09" : "10")) br.\(kind).sptk.few taken", sor: sor, rotation: rotation)
          machine[ar: AR.lc] = 5
          machine[ar: AR.ec] = ec
          #expect(machine.run() == .done)
          let comment = "\(kind) PR \(predicate) EC \(ec) sor \(sor) rotation \(rotation)"
          #expect(machine[gr: 4] == ((predicate || ec > 1) == (kind == "wtop") ? 2 : 1), "\(comment)")
          #expect(machine[ar: AR.lc] == 5, "\(comment)")
          #expect(machine[ar: AR.ec] == (predicate || ec == 0 ? ec : ec - 1), "\(comment)")
          check(machine, sor: sor, rotation: rotation, rotated: predicate || ec != 0, p63: false, comment)
        }
      }
    }
  }

  @Test func countedLoopWithoutRotation() throws {
    for lc in [0, 1, 5, .max] as [UInt64] {
      let machine = try machine("br.cloop.sptk.few taken", sor: 2, rotation: (3, 4, 5))
      machine[ar: AR.lc] = lc
      machine[ar: AR.ec] = 3
      #expect(machine.run() == .done)
      #expect(machine[gr: 4] == (lc == 0 ? 1 : 2))
      #expect(machine[ar: AR.lc] == (lc == 0 ? 0 : lc - 1))
      #expect(machine[ar: AR.ec] == 3)
      check(machine, sor: 2, rotation: (3, 4, 5), rotated: false, p63: nil, "cloop LC \(lc)")
    }
  }

  /// A whole pipelined loop: three stages over five elements, with the stages' predicates (Volume 1, section 4.5.1).
  @Test func pipelinedLoop() throws {
    let machine = try TestMachine(
      """
      mov pr.rot=0x10000 ;;
      top:
      (p16) adds r32=1,r40 ;;
      (p18) add r5=r5,r34 ;;
      { .mib
        adds r6=1,r6
        nop 0
        br.ctop.sptk.few top ;;
      }
      """)
    machine.each { $0.setCFM(16 | 16 << 7 | 1 << 14) }
    machine[ar: AR.lc] = 4
    machine[ar: AR.ec] = 3
    machine[gr: 40] = 41
    #expect(machine.run() == .done)
    // Stage 3 adds what stage 1 made two rotations before: five times.
    #expect(machine[gr: 5] == 5 * 42)
    #expect(machine[gr: 6] == 7)
    #expect(machine[ar: AR.lc] == 0)
    #expect(machine[ar: AR.ec] == 0)
  }

  /// Loop branches in another slot than the last are illegal, whatever their predicate.
  @Test(arguments: ["br.ctop", "br.cexit", "br.wtop", "br.wexit", "br.cloop"]) func otherSlots(_ name: String) throws {
    let (bits, _) = try Assembler.encode("\(name).sptk.few 0x100000", unit: .b, address: 0x10_0000)
    let nop = try Assembler.encode("nop.b 0", unit: .b).slot
    for slot in 0..<2 {
      let machine = try TestMachine("nop.m 0\nnop.m 0")
      let bundle = Bundle(template: 0x16, slots: slot == 0 ? (bits, nop, nop) : (nop, bits, nop))
      machine.place([bundle], at: TestMachine.code)
      #expect(machine.run() == .interruption(.generalException))
      #expect(machine.interruption.code == 0)
      #expect(machine.interruption.slot == UInt64(slot))
    }
  }

  @Test func clearRotation() throws {
    for (text, all) in [("clrrrb", true), ("clrrrb.pr", false)] {
      let machine = try TestMachine("{ .mib\n nop 0\n nop 0\n \(text) ;;\n }")
      machine.each { $0.setCFM(32 | 32 << 7 | 2 << 14 | 5 << 18 | 90 << 25 | 13 << 32) }
      // Each register shows the number of the physical one behind it.
      for n in 0..<16 { machine[gr: 32 + n] = UInt64((n + 5) % 16) }
      for n in 0..<96 { machine[fr: UInt8(32 + n)] = FloatRegister(significand: UInt64((n + 90) % 96), signExponent: 0x1003E) }
      for n in 0..<48 { machine[pr: 16 + n] = (n + 13) % 48 % 5 == 0 }
      #expect(machine.run() == .done)
      for n in 0..<16 { #expect(machine[gr: 32 + n] == UInt64(all ? n : (n + 5) % 16)) }
      for n in 0..<96 { #expect(machine[fr: UInt8(32 + n)].significand == UInt64(all ? n : (n + 90) % 96)) }
      for n in 0..<48 { #expect(machine[pr: 16 + n] == (n % 5 == 0)) }
      #expect(machine.blocks.cfm == UInt64(32 | 32 << 7 | 2 << 14 | (all ? 0 : 5 << 18)) | (all ? 0 : 90 << 25))
    }
  }
}
