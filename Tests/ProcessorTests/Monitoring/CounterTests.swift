import IA64
import Processor
import Testing

/// Generic performance counters without a model of time (Volume 2, section 7.2): when they count and who may read them.
@Suite("Performance counters")
struct CounterTests {
  /// Fields of PMC (Volume 2, table 7-4).
  static func control(_ event: UInt64, plm: UInt64 = 1, pm: Bool = false, oi: Bool = false) -> UInt64 {
    event << 8 | plm | (pm ? 1 << 6 : 0) | (oi ? 1 << 5 : 0)
  }
  static let instructions: UInt64 = 0x08
  static let cycles: UInt64 = 0x12
  static let halfRange: UInt64 = 1 << 47

  /// Programs counter r5 with r6, r7 as its value; slots behind the write count.
  static let start = "{ .mii\n mov pmc[r5]=r6\n nop 0\n nop 0 ;;\n }\n{ .mii\n mov pmd[r5]=r7\n nop 0\n nop 0 ;;\n }"
  static let read = "{ .mii\n mov r4=pmd[r5]\n nop 0\n nop 0 ;;\n }"
  /// Three slots for each of LC + 1 rounds.
  static let loop = "again: { .mib\n adds r8=1,r8\n nop 0\n br.cloop.sptk.few again ;;\n }"

  private func machine(_ program: String, psr: UInt64 = PSR.ic | PSR.up, control: UInt64, value: UInt64 = 0) throws -> TestMachine {
    let machine = try TestMachine(program, psr: psr)
    machine[gr: 5] = 6
    machine[gr: 6] = control
    machine[gr: 7] = value
    return machine
  }

  @Test("Retired instructions, nops and predicated ones included; cycles: one for each slot", arguments: [instructions, cycles])
  func counts(event: UInt64) throws {
    for rounds in [1, 2, 10, 1000] as [UInt64] {
      let program = """
        \(Self.start)
        \(Self.loop)
        { .mii
          nop 0
          (p6) adds r9=1,r9
          nop 0 ;;
        }
        \(Self.read)
        """
      let machine = try machine(program, control: Self.control(event))
      machine[ar: AR.lc] = rounds - 1
      #expect(machine.run() == .done)
      #expect(machine[gr: 4] == 2 + 3 * rounds + 3)
    }
  }

  @Test("Counting: not PMC0.fr, and plm[cpl], and PSR.pp for privileged monitors, PSR.up for others (section 7.2.1)")
  func gates() throws {
    for bits in 0..<32 as Range<UInt64> {
      let (up, pp, pm, frozen, level) = (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0, bits & 8 != 0, bits & 16 != 0)
      let machine = try machine(
        "{ .mii\n mov pmc[r0]=r9\n nop 0\n nop 0 ;;\n }\n\(Self.start)\n\(Self.read)",
        psr: PSR.ic | (up ? PSR.up : 0) | (pp ? PSR.pp : 0),
        control: Self.control(Self.instructions, plm: level ? 1 : 0xE, pm: pm))
      machine[gr: 9] = frozen ? 1 : 0
      #expect(machine.run() == .done)
      #expect(machine[gr: 4] == (!frozen && level && (pm ? pp : up) ? 2 : 0), "\(bits)")
    }
  }

  /// rfi to level 3, where `user` runs until its break.
  private func lowered(_ user: String, control: UInt64, user psr: UInt64, kernel: UInt64 = PSR.up) throws -> TestMachine {
    let program = """
      \(Self.start)
      { .mii
        mov cr.ipsr=r10
        nop 0
        nop 0 ;;
      }
      { .mii
        mov cr.iip=r11
        nop 0
        nop 0 ;;
      }
      { .mfb
        nop 0
        nop 0
        rfi ;;
      }
      user: \(user)
      { .mii
        break.m 7
        nop 0
        nop 0 ;;
      }
      """
    let machine = try machine(program, psr: kernel, control: control)
    machine[gr: 10] = PSR.ic | 3 << PSR.cplShift | psr
    machine[gr: 11] = try #require(machine.labels["user"])
    machine[cr: CR.ifs] = 0
    return machine
  }

  @Test("plm separates the levels: rfi counts at level 0, a break that faults nowhere", arguments: [instructions, cycles])
  func levels(event: UInt64) throws {
    // Behind the write of PMD: two slots, six, and three with rfi.
    for (plm, expected) in [(1, 2 + 6 + 3), (8, 3 * 5), (9, 11 + 15), (6, 0)] as [(UInt64, UInt64)] {
      // Privileged monitors, because PSR.pp is clear in the handler of the break.
      let machine = try lowered(Self.loop, control: Self.control(event, plm: plm, pm: true), user: PSR.pp, kernel: PSR.pp)
      machine[ar: AR.lc] = 4
      #expect(machine.run() == .interruption(.breakInstruction))
      #expect(machine.state.pmd[6] == expected, "plm \(plm)")
    }
  }

  @Test("sum and rum start and stop user monitors at level 3, ssm and rsm privileged ones") func masks() throws {
    // The instruction behind the one that starts is the first that counts, the one that stops the last.
    let block = "{ .mii\n sum 4\n nop 0\n nop 0 ;;\n }\n{ .mii\n rum 4\n nop 0\n nop 0 ;;\n }"
    let user = try lowered(block, control: Self.control(Self.instructions, plm: 8), user: 0)
    #expect(user.run() == .interruption(.breakInstruction))
    #expect(user.state.pmd[6] == 3)
    let kernel = try machine(
      "\(Self.start)\n\(block.replacing("sum 4", with: "ssm 0x200000").replacing("rum 4", with: "rsm 0x200000"))\n\(Self.read)",
      psr: PSR.ic, control: Self.control(Self.instructions, pm: true))
    #expect(kernel.run() == .done)
    #expect(kernel[gr: 4] == 3)
  }

  @Test("A secured monitor goes on counting, and reads as zero below level 0") func secured() throws {
    let machine = try lowered(
      "{ .mii\n mov r4=pmd[r5]\n nop 0\n nop 0 ;;\n }", control: Self.control(Self.instructions, plm: 8), user: PSR.up | PSR.sp)
    machine[gr: 4] = 55
    #expect(machine.run() == .interruption(.breakInstruction))
    #expect(machine[gr: 4] == 0)
    #expect(machine.state.pmd[6] == 3)
  }

  @Test("DCR.pp becomes PSR.pp in a handler (table 3-2): privileged monitors count there, or not") func handlers() throws {
    for dcr in [0, 1] as [UInt64] {
      let machine = try lowered(Self.loop, control: Self.control(Self.instructions, plm: 1, pm: true), user: 0, kernel: 0)
      machine[cr: CR.dcr] = dcr
      let handler =
        "{ .mii\n nop 0\n nop 0\n nop 0 ;;\n }\n{ .mii\n rsm 0x200000\n nop 0\n nop 0 ;;\n }\nover: { .bbb\n br.cond.sptk.few over\n nop 0\n nop 0\n }"
      let over = try #require(
        try machine.place(handler, at: TestMachine.handlers + UInt64(Vector.breakInstruction.rawValue))["over"])
      try machine.park(over)
      machine.run()
      #expect(machine.ip == over)
      #expect(machine.state.pmd[6] == (dcr == 0 ? 0 : 4))
    }
  }

  @Test("Changes of the privilege level (13:f)") func levelChanges() throws {
    let machine = try lowered(Self.loop, control: Self.control(0x13, plm: 0xF) | 0xF << 16, user: PSR.up)
    #expect(machine.run() == .interruption(.breakInstruction))
    #expect(machine.state.pmd[6] == 2)
  }

  @Test("The freeze bit suspends all monitors, and clearing it lets them go on (table 7-7)") func freeze() throws {
    let program = """
      \(Self.start)
      { .mii
        mov pmc[r0]=r9
        nop 0
        nop 0 ;;
      }
      { .mii
        mov pmc[r0]=r0
        nop 0
        nop 0 ;;
      }
      \(Self.read)
      """
    let machine = try machine(program, control: Self.control(Self.instructions))
    machine[gr: 9] = 1
    #expect(machine.run() == .done)
    // Two behind PMD, the write that freezes, and two behind the one that does not.
    #expect(machine[gr: 4] == 5)
  }

  @Test("Twelve counters at a time, each with its own event; unknown ones stay") func twelve() throws {
    let whole = try TestMachine(Self.programAll + Self.loop, psr: PSR.ic | PSR.up)
    whole[gr: 20] = Self.control(Self.instructions)
    whole[gr: 21] = Self.control(0xEE)
    whole[ar: AR.lc] = 9
    #expect(whole.run() == .done)
    let counts = (4..<16).map { whole.state.pmd[$0] }
    for n in 0..<12 where n % 2 == 1 { #expect(counts[n] == 0) }
    for n in stride(from: 0, to: 12, by: 2) { #expect(counts[n] > 30) }
    // Each was started two writes before the next of its kind.
    for n in stride(from: 2, to: 12, by: 2) { #expect(counts[n] < counts[n - 2]) }
  }
  private static let programAll = (4..<16).map { "mov r8=\($0) ;;\nmov pmc[r8]=r\(20 + $0 % 2) ;;\n" }.joined()
}
