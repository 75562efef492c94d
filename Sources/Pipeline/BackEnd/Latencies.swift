import IA64

/// When results can be used: the latency to the quickest consumer, and what others wait beyond that.
struct Latencies {
  let description: MachineDescription

  /// How a class's results are waited for; nil: everybody can use them in the next cycle.
  func result(_ i: Instruction, _ kind: InstructionClass) -> (producer: Producer, latency: Int)? {
    let l = description.latency
    let s = description.system
    switch kind {
    case .multimediaALU, .multimedia, .multimediaMultiply, .popcnt: return (.multimedia, l.multimedia)
    case .getf: return (.getf, l.getf)
    case .setf: return (.setf, l.setf)
    case .fma: return (.float, i.operation == .xma ? l.xma : l.fma)
    case .floatMiscellaneous, .floatParallel, .floatStatus: return (.float, l.floatMiscellaneous)
    case .floatConvert: return (.float, l.floatConvert)
    case .floatCompare: return (.floatCompare, max(1, l.fcmp - 1))
    case .fromPredicates: return (.fileRead, l.movFromPredicates)
    case .fromBranch: return (.fileRead, l.movFromBranch)
    case .fromLoop: return (.applicationRead, s.loopRead)
    case .fromApplication: return (.applicationRead, applicationRead(i.ar3))
    case .fromControl: return (.fileRead, controlRead(i.cr3))
    case .fromStatus: return (.fileRead, s.slowRead)
    case .fromIndirect: return (.fileRead, s.indirectRead)
    case .probe: return (.fileRead, s.probe)
    case .hash: return (.fileRead, s.thash)
    case .toApplication, .toLoop:
      let latency = applicationWrite(i.ar3)
      return latency > 1 ? (.system, latency) : nil
    case .toControl:
      // CR 64 and up are the interrupt registers; 1 and 8 are ITM and PTA.
      return (.system, i.cr3 >= 64 || i.cr3 == 1 ? s.interruptWrite : s.controlWrite)
    case .toStatus, .systemMask: return (.system, s.systemMask)
    case .toIndirect: return (.system, s.controlWrite)
    default: return nil
    }
  }

  private func applicationRead(_ n: UInt8) -> Int {
    let s = description.system
    switch n {
    case 19, 36: return s.natRead
    case 32: return s.ccvRead
    case 44: return s.itcRead
    case 64, 65, 66: return s.loopRead
    default: return s.slowRead
    }
  }

  private func applicationWrite(_ n: UInt8) -> Int {
    let s = description.system
    switch n {
    case 16: return s.rscWrite
    case 18: return s.bspstoreWrite
    case 19: return s.rnatWrite
    case 32, 36: return s.ccvWrite
    case 40: return s.fpsrWrite
    case 44: return s.interruptWrite
    case 64: return s.pfsWrite
    default: return 1
    }
  }

  private func controlRead(_ n: UInt8) -> Int {
    let s = description.system
    switch n {
    // iva, isr, iip, iipa, iim
    case 2, 17, 19, 22, 24: return s.quickControlRead
    case 16: return s.slowRead
    case 1, 64...: return s.interruptRead
    default: return s.controlRead
    }
  }

  /// Cycles beyond the base latency of a producer, for each kind of consumer.
  func extra(_ producer: Producer, _ consumer: Consumer) -> Int {
    let l = description.latency
    let hit = description.l1d.latency
    switch (producer, consumer) {
    case (_, .overwrite): return 0
    case (.load, .address): return l.loadToAddress - hit
    case (.load, .multimedia): return l.loadToMultimedia - hit
    case (.load, .setf): return l.loadToSetf - hit
    case (.multimedia, .multimedia): return 0
    case (.multimedia, _): return l.multimediaToInteger - l.multimedia
    case (.float, .floatStore): return l.floatToStore - l.fma
    case (.floatLoad, .getf), (.floatLoad, .floatStore):
      return l.floatLoadToStore - description.l2d.latency - description.memory.floatExtra
    case (.floatCompare, .branch): return 0
    case (.floatCompare, _): return 1
    case (.applicationRead, .multimedia): return 2
    case (.fileRead, .multimedia), (.getf, .multimedia): return 1
    default: return 0
    }
  }
}
