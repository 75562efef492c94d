import Platform
import Processor

/// PAL as a paravirtualized guest sees it (`xen/arch/ia64/xen/fw_emul.c`): what Xen fixes for all domains, and otherwise what the processor is.
public enum ParavirtualPAL {
  public enum Outcome: Equatable, Sendable {
    /// r8 to r11.
    case values([UInt64])
    /// The same, and the processor waits for an event.
    case halt
    /// The processor goes down.
    case down
  }

  private static func values(_ result: PALResult) -> Outcome {
    .values([UInt64(bitPattern: result.status), result.r9, result.r10, result.r11])
  }

  /// `arguments`: of either calling convention. Procedures that write to memory are not offered: no guest of Xen/ia64 needs them.
  public static func call(_ index: UInt64, _ arguments: [UInt64], processor: Int, regionIdentifierBits: UInt64) -> Outcome {
    let a = arguments + [0, 0, 0]
    guard let procedure = PALProcedure(rawValue: index) else { return values(.failure(PALStatus.unimplemented)) }
    switch procedure {
    case .vmSummary:
      // Walker, 44 physical bits, 16 key bits, 15 the last key register, hash tag 0x30, 12 translation registers of each kind, 3 unique
      // caches in 2 levels.
      let low: UInt64 = 1 | 44 << 1 | 16 << 8 | 15 << 16
      let summary = low | 0x30 << 24 | 11 << 32 | 11 << 40 | 3 << 48 | 2 << 56
      return values(.values(summary, 50 | regionIdentifierBits << 8))
    case .vmInfo:
      let isSmall = a[0] == 1 && 1...2 ~= a[1]
      guard isSmall || a[0] == 0 && a[1] == 2 else { return values(.failure(PALStatus.invalidArgument)) }
      let sets: UInt64 = isSmall ? 1 : 128
      return values(.values(sets | 1 << 8 | sets << 16 | (isSmall ? 0 : 1 << 33), 0x4000))
    case .vmPageSize: return values(.values(Implementation.insertablePages, Implementation.insertablePages))
    case .ptceInfo: return values(.values(0, 1 << 32 | 1, 0))
    case .memoryAttributes: return values(.values(ProcessorModel.memoryAttributes))
    case .cacheSummary: return values(.values(3, 5))
    case .cacheInfo: return values(ProcessorModel.cacheInfo(level: a[0], type: a[1]))
    case .cacheProtectionInfo: return values(ProcessorModel.cacheProtection(level: a[0], type: a[1]))
    case .cacheFlush, .cacheInit, .cacheLineInit, .machineCheckDrain: return values(.success)
    case .prefetchVisibility: return values(.failure(PALStatus.notNeededRemotely))
    case .fixedAddress: return values(.values(UInt64(processor)))
    case .version: return values(.values(ProcessorModel.palVersion, ProcessorModel.palVersion))
    case .debugInfo: return values(.values(UInt64(Implementation.breakpointPairs), UInt64(Implementation.breakpointPairs)))
    case .rseInfo: return values(.values(96, 0))
    case .registerInfo: return values(ProcessorModel.registerInfo(a[0]))
    case .frequencyRatios:
      return values(.values(ProcessorModel.processorRatio, ProcessorModel.busRatio, ProcessorModel.itcRatio))
    case .haltLight: return .halt
    case .halt: return .down
    default: return values(.failure(PALStatus.unimplemented))
    }
  }
}
