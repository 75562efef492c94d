import Processor
import Testing

/// The advanced load address table: Volume 1, section 4.4.5; Volume 2, section 4.4.5.3; Volume 3, ld, chk.a, invala.
///
/// An entry may vanish at any time; these tests expect that it does not without a reason, which is what this processor promises.
@Suite("Advanced loads")
struct ALATTests {
  /// r8 becomes 1 if the entry of r4 is still there.
  private static let check = "chk.a.nc r4,miss ;;\nadds r8=1,r0 ;;\nmiss: nop.m 0 ;;"

  /// Which stores reach which bytes: base register r5, data in r6, f6.
  static let stores: [(text: String, size: UInt64)] = [
    ("st1 [r5]=r6", 1), ("st2 [r5]=r6", 2), ("st4.rel [r5]=r6", 4), ("st8 [r5]=r6", 8), ("st8.spill [r5]=r6", 8),
    ("st16 [r5]=r6,ar.csd", 16),
    ("stfs [r5]=f6", 4), ("stfd [r5]=f6", 8), ("stfe [r5]=f6", 10), ("stf.spill [r5]=f6", 16), ("xchg2 r7=[r5],r6", 2),
    ("cmpxchg4.acq r7=[r5],r6,ar.ccv", 4), ("fetchadd8.rel r7=[r5],1", 8), ("cmp8xchg16.rel r7=[r5],r6,ar.csd,ar.ccv", 16),
  ]

  @Test(arguments: stores) func storesThatOverlap(_ store: (text: String, size: UInt64)) throws {
    for load in [1, 2, 4, 8] as [UInt64] {
      let machine = try TestMachine("ld\(load).a r4=[r9] ;;\n\(store.text) ;;\n\(Self.check)")
      let step = store.size == 10 ? 16 : store.size
      for address in stride(from: TestMachine.data + 0x20, through: TestMachine.data + 0x38, by: Int(max(load, 8))) {
        for target in stride(from: TestMachine.data + 0x10, to: TestMachine.data + 0x50, by: Int(step)) {
          machine[gr: 8] = 0
          machine[gr: 9] = address
          machine[gr: 5] = target
          machine.restart(psr: PSR.ic)
          #expect(machine.run() == .done)
          let overlap = target < address + load && address < target + store.size
          #expect(machine[gr: 8] == (overlap ? 0 : 1), "ld\(load).a at \(address), \(store.text) at \(target)")
        }
      }
    }
  }

  /// Physical addresses count: a store through another mapping hits.
  @Test func aliases() throws {
    let machine = try TestMachine("ld8.a r4=[r9] ;;\nst1 [r5]=r6 ;;\n\(Self.check)", psr: TestMachine.virtual)
    machine.separateRegions()
    machine.mapMemory()
    try machine.insertData()
    try machine.insertData(at: TestMachine.region(2) + 0x40_0000)
    machine[gr: 9] = TestMachine.region(1) + 0x100
    for (target, hits) in [
      (TestMachine.region(2) + 0x40_0107, true), (TestMachine.data + 0x103, true), (TestMachine.region(1) + 0x100, true),
      (TestMachine.region(2) + 0x40_0108, false), (TestMachine.data + 0xFF, false),
    ] {
      machine[gr: 8] = 0
      machine[gr: 5] = target
      machine.restart(psr: TestMachine.virtual)
      #expect(machine.run() == .done)
      #expect(machine[gr: 8] == (hits ? 0 : 1))
    }
  }

  /// The register stack engine's spills are stores.
  @Test func spillsOfTheRegisterStack() throws {
    for offset in [0, 8, 63 * 8, 64 * 8] as [UInt64] {
      let machine = try TestMachine(
        """
        alloc r10=ar.pfs,0,90,0,0
        ld8.a r4=[r9] ;;
        br.call.sptk.many b6=next ;;
        next: flushrs ;;
        \(Self.check)
        """)
      machine[gr: 9] = TestMachine.backingStore + offset
      #expect(machine.run() == .done)
      // 90 registers and one collection: 91 words.
      #expect(machine[gr: 8] == (offset < 91 * 8 ? 0 : 1))
    }
  }

  /// Completers: clr takes the entry away, nc keeps it; ld.c makes one with nc on a miss.
  @Test func completers() throws {
    func hits(_ text: String) throws -> Bool {
      let machine = try TestMachine("\(text)\n\(Self.check)")
      machine[gr: 9] = TestMachine.data
      #expect(machine.run() == .done)
      return machine[gr: 8] == 1
    }
    #expect(try !hits("nop.m 0 ;;"))
    #expect(try hits("ld8.a r4=[r9] ;;"))
    #expect(try hits("ld8.sa r4=[r9] ;;"))
    #expect(try hits("ld8.a r4=[r9] ;;\nld8.c.nc r4=[r9] ;;"))
    #expect(try !hits("ld8.a r4=[r9] ;;\nld8.c.clr r4=[r9] ;;"))
    #expect(try !hits("ld8.a r4=[r9] ;;\nld8.c.clr.acq r4=[r9] ;;"))
    #expect(try hits("ld8.c.nc r4=[r9] ;;"))
    #expect(try !hits("ld8.c.clr r4=[r9] ;;"))
    #expect(try hits("ld8.a r4=[r9] ;;\nchk.a.nc r4,next ;;\nnext: nop.m 0 ;;"))
    #expect(try !hits("ld8.a r4=[r9] ;;\nchk.a.clr r4,next ;;\nnext: nop.m 0 ;;"))
    #expect(try !hits("ld8.a r4=[r9] ;;\ninvala ;;"))
    #expect(try !hits("ld8.a r4=[r9] ;;\ninvala.e r4 ;;"))
    #expect(try hits("ld8.a r4=[r9] ;;\ninvala.e r5 ;;\ninvala.e f4 ;;"))
    #expect(try hits("ld8.a r4=[r9] ;;\nldfd.a f4=[r9] ;;\ninvala.e f4 ;;"))
    // Ordinary loads and moves to the register keep the entry: only its own kind replaces it.
    #expect(try hits("ld8.a r4=[r9] ;;\nmov r4=r0 ;;"))
  }

  /// A later advanced load of the same register replaces the entry.
  @Test func replacement() throws {
    for (address, hits) in [(TestMachine.data, true), (TestMachine.data + 64, false)] {
      let machine = try TestMachine("ld8.a r4=[r9] ;;\nld8.a r4=[r10] ;;\nst8 [r5]=r6 ;;\n\(Self.check)")
      machine[gr: 9] = TestMachine.data
      machine[gr: 10] = TestMachine.data + 64
      machine[gr: 5] = address
      #expect(machine.run() == .done)
      #expect(machine[gr: 8] == (hits ? 1 : 0))
    }
  }

  /// A hit leaves the register alone; a miss loads.
  @Test func checkLoads() throws {
    for (store, expected) in [(TestMachine.data, 7), (TestMachine.data + 8, 1)] as [(UInt64, UInt64)] {
      let machine = try TestMachine("ld8.a r4=[r9] ;;\nadds r4=1,r4\nst8 [r5]=r6 ;;\nld8.c.clr r4=[r9],8 ;;")
      machine[gr: 9] = TestMachine.data
      machine[gr: 5] = store
      machine[gr: 6] = 7
      #expect(machine.run() == .done)
      #expect(machine[gr: 4] == expected)
      #expect(machine[gr: 9] == TestMachine.data + 8)
    }
  }

  /// Floating-point registers have entries of their own, with the size of the whole access, pairs included.
  @Test func floatingPoint() throws {
    for (load, size) in [
      ("ldfs.a f4=[r9]", 4), ("ldfd.a f4=[r9]", 8), ("ldfe.a f4=[r9]", 10), ("ldf8.sa f4=[r9]", 8), ("ldfps.a f4,f5=[r9]", 8),
      ("ldfp8.a f4,f5=[r9]", 16),
    ] as [(String, UInt64)] {
      for offset in 0..<24 as Range<UInt64> {
        let machine = try TestMachine("\(load) ;;\nst1 [r5]=r6 ;;\nchk.a.nc f4,miss ;;\nadds r8=1,r0 ;;\nmiss: nop.m 0 ;;")
        machine[gr: 9] = TestMachine.data
        machine[gr: 5] = TestMachine.data + offset
        #expect(machine.run() == .done)
        #expect(machine[gr: 8] == (offset < size ? 0 : 1), "\(load) +\(offset)")
      }
    }
  }

  /// More advanced loads than entries: some are lost, none is found that was not made.
  @Test func capacity() throws {
    let loads = (40..<100).map { "ld8.a r\($0)=[r9],8 ;;" }.joined(separator: "\n")
    let checks = (36..<104).map { "chk.a.clr r\($0),m\($0) ;;\nadds r8=1,r8\nmov r10=\($0) ;;\nm\($0): nop.m 0 ;;" }.joined(
      separator: "\n")
    let machine = try TestMachine("alloc r11=ar.pfs,0,96,0,0 ;;\n\(loads)\n\(checks)")
    machine[gr: 9] = TestMachine.data
    #expect(machine.run() == .done)
    #expect(machine[gr: 8] == 32)
    #expect(machine[gr: 10] == 99)
  }

  /// Entries belong to physical registers: rotation renames them (Volume 1, section 4.4.5.2).
  @Test func rotation() throws {
    for (name, hits) in [(32, 0), (33, 1), (34, 0)] as [(Int, UInt64)] {
      let machine = try TestMachine(
        """
        alloc r10=ar.pfs,0,16,0,16
        mov ar.lc=1
        mov ar.ec=1 ;;
        ld8.a r32=[r9] ;;
        br.ctop.sptk.few next ;;
        next: chk.a.nc r\(name),miss ;;
        adds r8=1,r0 ;;
        miss: nop.m 0 ;;
        """)
      machine[gr: 9] = TestMachine.data
      #expect(machine.run() == .done)
      #expect(machine[gr: 8] == hits, "r\(name)")
    }
    for (name, hits) in [(32, 0), (33, 1)] as [(Int, UInt64)] {
      let machine = try TestMachine(
        """
        mov ar.lc=1
        mov ar.ec=1
        ldfd.a f32=[r9] ;;
        br.ctop.sptk.few next ;;
        next: chk.a.nc f\(name),miss ;;
        adds r8=1,r0 ;;
        miss: nop.m 0 ;;
        """)
      machine[gr: 9] = TestMachine.data
      #expect(machine.run() == .done)
      #expect(machine[gr: 8] == hits, "f\(name)")
    }
  }

  /// A call renames outputs and hides locals; the return brings the names back.
  @Test func callsAndReturns() throws {
    let machine = try TestMachine(
      """
      alloc r10=ar.pfs,0,4,4,0 ;;
      ld8.a r34=[r9],8 ;;
      ld8.a r37=[r9],8 ;;
      br.call.sptk.many b6=inner ;;
      chk.a.nc r34,lost ;;
      adds r8=0x10,r8 ;;
      lost: br.cond.sptk.many done ;;
      inner:
      chk.a.nc r34,a ;;
      adds r8=1,r8 ;;
      a: chk.a.nc r33,b ;;
      adds r8=2,r8 ;;
      b: br.ret.sptk.many b6 ;;
      done: { .bbb
        br.cond.sptk.many done
        nop 0
        nop 0
      }
      """)
    machine[gr: 9] = TestMachine.data
    #expect(machine.run() == .done)
    // r37 is the callee's r33; r34 is the caller's own.
    #expect(machine[gr: 8] == 0x12)
  }

  /// r16 to r31 of the two banks are different registers.
  @Test func banks() throws {
    let machine = try TestMachine(
      """
      mov r16=r9 ;;
      ld8.a r17=[r16] ;;
      { .bbb
        bsw.1
        nop 0
        nop 0
      } ;;
      chk.a.nc r17,a ;;
      adds r8=1,r8 ;;
      a:
      { .bbb
        bsw.0
        nop 0
        nop 0
      } ;;
      chk.a.nc r17,b ;;
      adds r8=2,r8 ;;
      b: nop.m 0 ;;
      """)
    machine[gr: 9] = TestMachine.data
    #expect(machine.run() == .done)
    #expect(machine[gr: 8] == 2)
  }

  /// A deferred ld.sa has no entry, and takes an older one away.
  @Test func deferredLoads() throws {
    let machine = try TestMachine("ld8.a r4=[r9] ;;\nld8.sa r4=[r10] ;;\n\(Self.check)")
    machine[gr: 9] = TestMachine.data
    machine[gr: 10] = 1 << 63
    #expect(machine.run() == .done)
    #expect(machine[nat: 4])
    #expect(machine[gr: 8] == 0)
  }

  /// Firmware that stores does so behind the table's back: no entry survives a gate.
  @Test func firmwareStores() throws {
    let machine = try TestMachine("ld8.a r4=[r9] ;;\nbreak.m 0x100007 ;;\nld8.c.clr r4=[r9] ;;")
    machine.each { $0.firmwareGates = TestMachine.code..<TestMachine.code + 0x1000 }
    for bus in [machine.bus.blocks, machine.bus.steps] {
      bus.onGate = { _, processor in
        processor.memory.store(TestMachine.data, UInt64(77))
        return .proceed
      }
    }
    machine[gr: 9] = TestMachine.data
    #expect(machine.run() == .done)
    #expect(machine[gr: 4] == 77)
  }

  /// A purge of the translation is not a store: the entry stays (Volume 3, ptc.ga: remote processors).
  @Test func purges() throws {
    for text in ["ptc.l r10,r11", "ptc.ga r10,r11", "ptc.e r10"] {
      let machine = try TestMachine("ld8.a r4=[r9] ;;\n\(text) ;;\n\(Self.check)")
      machine[gr: 9] = TestMachine.data
      machine[gr: 10] = TestMachine.data
      machine[gr: 11] = 14 << 2
      #expect(machine.run() == .done)
      #expect(machine[gr: 8] == 1)
    }
  }
}
