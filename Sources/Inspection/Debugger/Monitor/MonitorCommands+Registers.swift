import Arithmetic
import Processor

extension MonitorCommands {
  func registers(_ index: Int) -> [String] {
    debugger.inspect(index) { processor in
      let s = processor.state
      let top = 32 + s.pointee.sof
      let position = s.pointee.ip | PSR.ri(s.pointee.psr)
      var lines = ["ip       \(Self.hex(position))\(name(of: position & ~0xF))"]
      lines += Self.table([("psr", s.pointee.psr), ("cfm", processor.cfm), ("pr", processor.predicateWord())])
      lines += Self.table((0..<8).map { ("b\($0)", s.br[$0]) })
      lines += Self.table((1..<top).map { ("r\($0)" + (s.nat(UInt8($0)) ? " NaT" : ""), s.gr[$0]) })
      lines += Self.table(NamedRegisters.application.map { ($0.name, processor.readAR($0.number)) })
      return lines
    }
  }

  func controlRegisters(_ index: Int) -> [String] {
    debugger.inspect(index) { processor in Self.table(NamedRegisters.control.map { ($0.name, processor.state.cr[$0.number]) }) }
  }

  func regionRegisters(_ index: Int) -> [String] {
    debugger.inspect(index) { processor in
      (0..<8).map { n in
        let rr = processor.state.rr[n]
        return
          "rr\(n)  \(Self.hex(rr))  rid \(Self.hex(rr >> 8 & 0xFF_FFFF, digits: 6)), pages of \(PageWords.size(rr >> 2 & 0x3F)), "
          + "VHPT walker \(rr & 1 != 0 ? "on" : "off")"
      }
    }
  }

  func protectionKeys(_ index: Int) -> [String] {
    debugger.inspect(index) { processor in
      let s = processor.state
      var lines = ["protection keys are \(s.pointee.psr & PSR.pk != 0 ? "checked" : "not checked") (psr.pk)"]
      for n in 0..<Implementation.protectionKeyRegisters where s.pkr[n] & 1 != 0 {
        let key = s.pkr[n]
        let denied = [(8, "execute"), (4, "read"), (2, "write")].filter { key & $0.0 != 0 }.map(\.1)
        lines.append(
          "pkr\(n)  key \(Self.hex(key >> 8 & 0xFF_FFFF, digits: 6))"
            + (denied.isEmpty ? "" : ", denies " + denied.joined(separator: ", ")))
      }
      return lines
    }
  }

  private static let statusBits: [(name: String, bit: UInt64)] = [
    ("be", PSR.be), ("up", PSR.up), ("ac", PSR.ac), ("mfl", PSR.mfl), ("mfh", PSR.mfh), ("ic", PSR.ic), ("i", PSR.i),
    ("pk", PSR.pk),
    ("dt", PSR.dt), ("dfl", PSR.dfl), ("dfh", PSR.dfh), ("sp", PSR.sp), ("pp", PSR.pp), ("di", PSR.di), ("si", PSR.si),
    ("db", PSR.db),
    ("lp", PSR.lp), ("tb", PSR.tb), ("rt", PSR.rt), ("is", PSR.is), ("mc", PSR.mc), ("it", PSR.it), ("id", PSR.id), ("da", PSR.da),
    ("dd", PSR.dd), ("ss", PSR.ss), ("ed", PSR.ed), ("bn", PSR.bn), ("ia", PSR.ia), ("vm", PSR.vm),
  ]

  func status(_ index: Int) -> [String] {
    debugger.inspect(index) { processor in
      let psr = processor.state.pointee.psr
      return [
        "psr \(Self.hex(psr)): cpl \(PSR.cpl(psr)), slot \(PSR.ri(psr))",
        Self.statusBits.filter { psr & $0.bit != 0 }.map(\.name).joined(separator: " "),
      ]
    }
  }

  /// The frame, then what is dirty, newest first.
  func registerStack(_ index: Int) -> [String] {
    debugger.inspect(index) { processor in
      let s = processor.state
      let p = s.pointee
      var lines = [
        "frame of \(p.sof) registers, \(p.sol) of them local, \(p.sor * 8) rotating (bases gr \(p.rrbGR), fr \(p.rrbFR), pr \(p.rrbPR))"
          + (p.frameIncomplete ? "; its loads are not complete" : ""),
        "dirty \(p.dirty), clean \(p.clean), free \(96 - p.sof - max(0, p.dirty) - p.clean) of 96 registers",
        "bsp \(Self.hex(p.bsp)), bspstore \(Self.hex(p.bspStore)), rnat \(Self.hex(p.rnat)), end of the frame \(Self.hex(processor.endOfFrame))",
      ]
      var address = processor.endOfFrame
      var rows = 0
      while address > p.bspStore, rows < 200 {
        address &-= 8
        rows += 1
        guard let word = processor.backingStoreWord(at: address) else { break }
        let what: String
        if address & 0x1F8 == 0x1F8 {
          what = "NaT bits"
        } else if address >= p.bsp {
          what = "frame \(BackingStore.registers(from: p.bsp, to: address))"
        } else {
          what = "dirty"
        }
        lines.append("  \(Self.hex(address))  \(Self.hex(word))  \(what)\(name(of: word))")
      }
      return lines
    }
  }

  func advancedLoads(_ index: Int) -> [String] {
    debugger.inspect(index) { processor in
      let alat = processor.state.pointee.alat
      let lines = (0..<32).compactMap { n -> String? in
        let entry = alat.entries[n]
        guard entry.tag != 0 else { return nil }
        return "  \(Self.register(entry.tag).padded(26))\(entry.size) bytes"
      }
      return lines.isEmpty ? ["the ALAT is empty"] : ["register                    loaded"] + lines
    }
  }

  /// The physical register of an ALAT entry.
  private static func register(_ tag: UInt32) -> String {
    let n = tag & 0xFF
    switch tag & 0x700 {
    case 0x100: return n & 0x20 != 0 && n & 0x1F >= 16 ? "r\(n & 0x1F), bank 1" : "r\(n & 0x1F)"
    case 0x200: return "stacked register \(n)"
    default: return n < 32 ? "f\(n)" : "rotating register f\(n)"
    }
  }

  func sapic(_ index: Int) -> [String] {
    debugger.inspect(index) { processor in
      let s = processor.state
      func vectors(_ words: InlineArray<4, UInt64>) -> String {
        let set = (0..<256).filter { words[$0 >> 6] >> UInt64($0 & 63) & 1 != 0 }
        return set.isEmpty ? "none" : set.map { "0x" + Self.hex(UInt64($0), digits: 2) }.joined(separator: " ")
      }
      func line(_ name: String, _ register: Int) -> String {
        let value = s.cr[register]
        return
          "\(name.padded(9))\(Self.hex(value))  vector 0x\(Self.hex(value & 0xFF, digits: 2))\(value & 1 << 16 != 0 ? ", masked" : "")"
      }
      return [
        "lid      \(Self.hex(s.cr[CR.lid]))  id \(s.cr[CR.lid] >> 24 & 0xFF), eid \(s.cr[CR.lid] >> 16 & 0xFF)",
        "tpr      \(Self.hex(s.cr[CR.tpr]))  classes up to \(s.cr[CR.tpr] >> 4 & 15) wait\(s.cr[CR.tpr] & 1 << 16 != 0 ? ", all masked" : "")",
        "pending  \(vectors(s.pointee.interruptRequest))", "serviced \(vectors(s.pointee.interruptInService))",
        line("itv", CR.itv), line("pmv", CR.pmv), line("cmcv", CR.cmcv), line("lrr0", CR.lrr0), line("lrr1", CR.lrr1),
        "itm      \(Self.hex(s.cr[CR.itm]))", "itc      \(Self.hex(processor.readAR(AR.itc)))",
        "psr.i    \(s.pointee.psr & PSR.i != 0 ? "interrupts are taken" : "interrupts wait")",
      ]
    }
  }
}
