import Processor

#if canImport(Glibc)
  import Glibc
#endif

/// What must be equal between two processors that executed the same instructions, whichever engine did it.
///
/// All of `ProcessorState` and all of memory, but for the record of the interruption being raised (`fault`, scratch) and host
/// addresses in the ALAT, which are taken relative to each memory. `LogicalProcessor.difference(from:)` looks at the same, but
/// stops at the first difference and is made for millions of calls.
enum StateComparison {
  static func differences(_ a: LogicalProcessor, _ b: LogicalProcessor) -> [String] {
    var found: [String] = []
    func check(_ name: @autoclosure () -> String, _ x: UInt64, _ y: UInt64) {
      if x != y { found.append("\(name()) 0x\(String(x, radix: 16)) in blocks, 0x\(String(y, radix: 16)) in steps") }
    }
    let (s, t) = (a.state, b.state)
    for n in 0..<128 {
      check("r\(n)", s.gr[n], t.gr[n])
      check("ar\(n)", s.ar[n], t.ar[n])
      check("cr\(n)", s.cr[n], t.cr[n])
      let (f, g) = (s.f(UInt8(n)).value, t.f(UInt8(n)).value)
      check("f\(n).significand", f.significand, g.significand)
      check("f\(n).signExponent", f.signExponent, g.signExponent)
    }
    for n in 0..<96 {
      check("stacked \(n)", s.stacked[n], t.stacked[n])
      check("stacked NaT \(n)", UInt64(s.stackedNaT[n]), UInt64(t.stackedNaT[n]))
    }
    for n in 0..<64 {
      check("p\(n)", UInt64(s.pr[n]), UInt64(t.pr[n]))
      check("pmc\(n)", s.pmc[n], t.pmc[n])
      check("pmd\(n)", s.pmd[n], t.pmd[n])
    }
    for n in 0..<16 {
      check("other bank \(n)", s.otherBank[n], t.otherBank[n])
      check("pkr\(n)", s.pkr[n], t.pkr[n])
    }
    for n in 0..<8 {
      check("b\(n)", s.br[n], t.br[n])
      check("rr\(n)", s.rr[n], t.rr[n])
      check("ibr\(n)", s.ibr[n], t.ibr[n])
      check("dbr\(n)", s.dbr[n], t.dbr[n])
    }
    let (p, q) = (s.pointee, t.pointee)
    check("ip", p.ip, q.ip)
    check("psr", p.psr, q.psr)
    check("cfm", a.cfm, b.cfm)
    check("nat low", p.natLow, q.natLow)
    check("nat high", p.natHigh, q.natHigh)
    check("other bank's NaT", p.otherBankNaT, q.otherBankNaT)
    check("bottom of frame", UInt64(p.bottomOfFrame), UInt64(q.bottomOfFrame))
    check("bsp", p.bsp, q.bsp)
    check("bspstore", p.bspStore, q.bspStore)
    check("rnat", p.rnat, q.rnat)
    check("dirty", UInt64(bitPattern: Int64(p.dirty)), UInt64(bitPattern: Int64(q.dirty)))
    check("clean", UInt64(bitPattern: Int64(p.clean)), UInt64(bitPattern: Int64(q.clean)))
    check("frame incomplete", p.frameIncomplete ? 1 : 0, q.frameIncomplete ? 1 : 0)
    check("instructions", p.instructions, q.instructions)
    check("idle cycles", p.idleCycles, q.idleCycles)
    check("itc offset", p.itcOffset, q.itcOffset)
    check("interruptions", a.interruptionCount, b.interruptionCount)
    for n in 0..<4 {
      check("irr\(n)", p.interruptRequest[n], q.interruptRequest[n])
      check("in service \(n)", p.interruptInService[n], q.interruptInService[n])
    }
    check("interrupt pending", p.interruptPending ? 1 : 0, q.interruptPending ? 1 : 0)
    check("virtual interrupt pending", p.virtualInterruptPending ? 1 : 0, q.virtualInterruptPending ? 1 : 0)
    check("halted", p.halted ? 1 : 0, q.halted ? 1 : 0)
    for n in 0..<32 {
      check("alat \(n) tag", UInt64(p.alat.entries[n].tag), UInt64(q.alat.entries[n].tag))
      guard p.alat.entries[n].tag != 0 else { continue }
      check("alat \(n) address", relative(p.alat.entries[n].address, a), relative(q.alat.entries[n].address, b))
      check("alat \(n) size", UInt64(p.alat.entries[n].size), UInt64(q.alat.entries[n].size))
    }
    found += memoryDifferences(a.memory, b.memory)
    return found
  }

  private static func relative(_ host: UInt64, _ processor: LogicalProcessor) -> UInt64 {
    host &- UInt64(UInt(bitPattern: processor.memory.regions[0].host))
  }

  private static func residentPages(_ region: PhysicalMemory.Region) -> [UInt8] {
    var pages = [UInt8](repeating: 1, count: Int(region.size) / 4096)
    _ = mincore(region.host, Int(region.size), &pages)
    return pages
  }

  private static func memoryDifferences(_ a: PhysicalMemory, _ b: PhysicalMemory) -> [String] {
    for (x, y) in zip(a.regions, b.regions) {
      let p = UnsafeRawBufferPointer(start: x.host, count: Int(x.size))
      let q = UnsafeRawBufferPointer(start: y.host, count: Int(y.size))
      // Pages that neither side has touched are zero on both; looking at them would make the host provide them.
      let touched = zip(residentPages(x), residentPages(y)).map { $0 | $1 }
      var offset = 0
      while offset < p.count {
        if offset % 4096 == 0, touched[offset / 4096] & 1 == 0 || memcmp(x.host + offset, y.host + offset, 4096) == 0 {
          offset += 4096
          continue
        }
        let v = p.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        let w = q.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        if v != w {
          let address = String(x.base + UInt64(offset), radix: 16)
          return ["[0x\(address)] 0x\(String(v, radix: 16)) in blocks, 0x\(String(w, radix: 16)) in steps"]
        }
        offset += 8
      }
    }
    return []
  }
}
