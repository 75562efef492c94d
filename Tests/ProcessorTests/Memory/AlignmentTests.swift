import Arithmetic
import Processor
import Testing

/// Misaligned references: Volume 2, section 4.5. The window in which hardware completes them is this processor's own choice.
@Suite("Alignment")
struct AlignmentTests {
  static let references: [(text: String, size: UInt64, window: UInt64, isr: UInt64)] = [
    ("ld2 r4=[r5]", 2, 8, ISR.r), ("ld4 r4=[r5]", 4, 8, ISR.r), ("ld8 r4=[r5]", 8, 8, ISR.r), ("ld4.acq r4=[r5]", 4, 8, ISR.r),
    ("ld8.a r4=[r5]", 8, 8, ISR.r), ("st2 [r5]=r6", 2, 8, ISR.w), ("st4 [r5]=r6", 4, 8, ISR.w), ("st8 [r5]=r6", 8, 8, ISR.w),
    ("st8.rel [r5]=r6", 8, 8, ISR.w), ("ldfs f6=[r5]", 4, 16, ISR.r), ("ldfd f6=[r5]", 8, 16, ISR.r),
    ("ldf8 f6=[r5]", 8, 16, ISR.r),
    ("stfs [r5]=f6", 4, 16, ISR.w), ("stfd [r5]=f6", 8, 16, ISR.w), ("stf8 [r5]=f6", 8, 16, ISR.w),
  ]

  /// PSR.ac = 1: every misaligned reference faults. PSR.ac = 0: only those that cross the window. What completes is exact.
  @Test(arguments: [false, true]) func checksByPSR(_ checked: Bool) throws {
    for reference in Self.references {
      let machine = try TestMachine("\(reference.text) ;;", psr: PSR.ic)
      for offset in 0..<32 as Range<UInt64> {
        let address = TestMachine.data + offset
        for i in 0..<8 as Range<UInt64> {
          machine.store(TestMachine.data + 8 * i, 0x0706_0504_0302_0100 &+ i &* 0x0808_0808_0808_0808)
        }
        machine[gr: 4] = 0
        machine[gr: 5] = address
        machine[gr: 6] = 0xE7E6_E5E4_E3E2_E1E0
        machine[fr: 6] = FloatRegister(significand: 0xE7E6_E5E4_E3E2_E1E0, signExponent: 0x1003E)
        machine.restart(psr: PSR.ic | (checked ? PSR.ac : 0))
        let aligned = offset % reference.size == 0
        let fine = aligned || !checked && offset % reference.window + reference.size <= reference.window
        #expect(machine.run() == (fine ? .done : .interruption(.unalignedReference)), "\(reference.text) at +\(offset)")
        if !fine {
          #expect(machine.interruption.isr == reference.isr)
          #expect(machine.interruption.ifa == address)
        } else if reference.text.hasPrefix("ld") && !reference.text.hasPrefix("ldf") {
          let expected = (0..<reference.size).reduce(0 as UInt64) { $0 | (offset + $1) << (8 * $1) }
          #expect(machine[gr: 4] == expected)
        } else if reference.text.hasPrefix("st") && !reference.text.hasPrefix("stfs") && !reference.text.hasPrefix("stfd") {
          for i in 0..<64 as Range<UInt64> {
            let inside = i >= offset && i < offset + reference.size
            #expect(machine.load(TestMachine.data + i) & 0xFF == (inside ? 0xE0 + i - offset : i))
          }
        }
      }
    }
  }

  /// Semaphores, spills, fills, pairs and 16-byte references fault at every misaligned address whatever PSR.ac says.
  @Test(
    arguments: [
      ("xchg2 r4=[r5],r6", 2), ("xchg4 r4=[r5],r6", 4), ("xchg8 r4=[r5],r6", 8), ("cmpxchg2.acq r4=[r5],r6,ar.ccv", 2),
      ("cmpxchg4.rel r4=[r5],r6,ar.ccv", 4), ("cmpxchg8.acq r4=[r5],r6,ar.ccv", 8), ("cmp8xchg16.acq r4=[r5],r6,ar.csd,ar.ccv", 8),
      ("fetchadd4.acq r4=[r5],1", 4), ("fetchadd8.acq r4=[r5],1", 8), ("ld16 r4,ar.csd=[r5]", 16), ("st16 [r5]=r6,ar.csd", 16),
      ("ld8.fill r4=[r5]", 8), ("st8.spill [r5]=r6", 8), ("ldf.fill f6=[r5]", 16), ("stf.spill [r5]=f6", 16),
      ("ldfps f6,f7=[r5]", 8),
      ("ldfpd f6,f7=[r5]", 16), ("ldfp8 f6,f7=[r5]", 16),
    ] as [(String, UInt64)]) func alwaysChecked(_ text: String, _ alignment: UInt64) throws
  {
    let machine = try TestMachine("\(text) ;;", psr: PSR.ic)
    for offset in 0..<16 as Range<UInt64> {
      machine[gr: 5] = TestMachine.data + offset
      machine.restart(psr: PSR.ic)
      #expect(machine.run() == (offset % alignment == 0 ? .done : .interruption(.unalignedReference)), "+\(offset)")
    }
  }

  /// The misaligned reference that straddles two pages: it faults with its own address before either page sees anything, whichever of
  /// the two is absent, RAM or device.
  @Test(arguments: ["ld8 r4=[r5],8", "ld2 r4=[r5],8", "st8 [r5]=r6,8", "st4 [r5]=r6,8", "ldfd f6=[r5],8", "stfd [r5]=f6,8"])
  func straddlingTwoPages(_ text: String) throws {
    for (first, second) in [(true, true), (true, false), (false, true)] {
      for device in [false, true] {
        let machine = try TestMachine("\(text) ;;", psr: TestMachine.virtual)
        machine.separateRegions()
        machine.mapMemory()
        let page = TestMachine.region(1)
        if first { try machine.insertData { $0.rights = 2 } }
        if second {
          try machine.insertData(
            {
              $0.physical = device ? 1 << 40 : TestMachine.data + 0x4000; $0.attribute = device ? 4 : 0
            }, at: page + 0x4000)
        }
        for i in 0..<4096 as Range<UInt64> { machine.store(TestMachine.data + 8 * i, 0xAAAA_AAAA_AAAA_AAAA as UInt64) }
        machine[gr: 4] = 44
        machine[gr: 6] = 66
        machine[gr: 5] = page + 0x3FFF
        DeliveredInterruption.mark(machine)
        #expect(machine.run() == .interruption(first ? .unalignedReference : .alternateDataTLB))
        #expect(machine.interruption.ifa == page + 0x3FFF)
        #expect(machine.interruption.iip == TestMachine.code)
        #expect(machine[gr: 4] == 44)
        #expect(machine[gr: 5] == page + 0x3FFF)
        #expect(machine.bus.blocks.log.isEmpty)
        for i in 0..<4096 as Range<UInt64> where machine.load(TestMachine.data + 8 * i) != 0xAAAA_AAAA_AAAA_AAAA {
          Issue.record("the word at +\(8 * i) changed")
        }
      }
    }
  }

  /// With the first page a device's: no bus access.
  @Test func straddlingFromADevice() throws {
    for text in ["ld8 r4=[r5]", "st8 [r5]=r6"] {
      let machine = try TestMachine("\(text) ;;", psr: TestMachine.virtual)
      machine.separateRegions()
      machine.mapMemory()
      try machine.insertData {
        $0.physical = 1 << 40; $0.attribute = 4
      }
      machine[gr: 5] = TestMachine.region(1) + 0x3FFC
      #expect(machine.run() == .interruption(.unalignedReference))
      #expect(machine.bus.blocks.log.isEmpty && machine.bus.steps.log.isEmpty)
    }
  }
}
