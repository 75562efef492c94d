import Processor

/// Why a guest was left.
public enum ExitKind: Hashable, Sendable, Codable {
  /// A virtualized instruction.
  case instruction(InterceptCause)
  /// The machine's interrupt: its timer, or another virtual processor.
  case externalInterrupt
  /// The guest has unmasked an interrupt that was waiting for it.
  case virtualExternalInterrupt
  case instructionMiss
  case dataMiss
  /// A reference to device memory, to the port space, to the interrupt block.
  case deviceMemory
  case port
  case interruptBlock
  /// The I/O SAPIC's registers, which are the hypervisor's own and no device model's.
  case ioSAPIC
  /// PAL, SAL and EFI.
  case firmware
  /// An interruption that is the guest's own.
  case reflected(UInt16)
  /// Of a paravirtualized guest: what it asks for instead of a privileged instruction, a privileged instruction all the same, and an event that
  /// it is called for.
  case hyperprivop(Hyperprivop)
  case privilegedOperation
  case event
  /// By its number; above 255: firmware's.
  case hypercall(UInt64)

  /// Short and stable: keys of statistics.
  public var name: String {
    switch self {
    case .instruction(let cause): cause.mnemonic
    case .externalInterrupt: "external interrupt"
    case .virtualExternalInterrupt: "virtual external interrupt"
    case .instructionMiss: "instruction TLB miss"
    case .dataMiss: "data TLB miss"
    case .deviceMemory: "device memory"
    case .port: "port"
    case .interruptBlock: "interrupt block"
    case .ioSAPIC: "I/O SAPIC"
    case .firmware: "firmware"
    case .hyperprivop(let operation): "hyperprivop \(operation.name)"
    case .privilegedOperation: "privileged operation"
    case .event: "event"
    case .hypercall(let number): "hypercall \(Hypercalls.name(number))"
    case .reflected(let vector): "reflected \(Vector(rawValue: vector).map { "\($0)" } ?? String(vector, radix: 16))"
    }
  }

  /// What handling it costs. Xen has assembly for the instructions that are intercepted most (`optvfault.S`) and for handing interruptions
  /// on, C for the rest.
  var work: HypervisorWork {
    switch self {
    case .instruction(.movFromAR), .instruction(.movToPSR), .instruction(.movToRR), .instruction(.movFromRR), .instruction(.ssm),
      .instruction(.rsm), .instruction(.thash), .instruction(.rfi), .instruction(.bsw0), .instruction(.bsw1), .reflected,
      .hyperprivop, .event:
      .fastExit
    case .instruction, .externalInterrupt, .virtualExternalInterrupt, .instructionMiss, .dataMiss, .firmware, .interruptBlock,
      .ioSAPIC, .privilegedOperation, .hypercall:
      .exit
    case .deviceMemory, .port: .deviceVisit
    }
  }

  public static let count = 52 + 128 + 32 + 65
  private static let hyperprivops = 52 + 128
  private static let hypercalls = 52 + 128 + 32

  /// Place among the counters.
  public var index: Int {
    switch self {
    case .instruction(let cause): Int(cause.rawValue)
    case .externalInterrupt: 41
    case .virtualExternalInterrupt: 42
    case .instructionMiss: 43
    case .dataMiss: 44
    case .deviceMemory: 45
    case .port: 46
    case .interruptBlock: 47
    case .firmware: 48
    case .privilegedOperation: 49
    case .event: 50
    case .ioSAPIC: 51
    case .reflected(let vector): 52 + Int(vector >> 8 & 0x7F)
    case .hyperprivop(let operation): Self.hyperprivops + Int(operation.rawValue)
    case .hypercall(let number): Self.hypercalls + Int(min(number, 64))
    }
  }

  public static func at(_ index: Int) -> ExitKind? {
    switch index {
    case 41: .externalInterrupt
    case 42: .virtualExternalInterrupt
    case 43: .instructionMiss
    case 44: .dataMiss
    case 45: .deviceMemory
    case 46: .port
    case 47: .interruptBlock
    case 48: .firmware
    case 49: .privilegedOperation
    case 50: .event
    case 51: .ioSAPIC
    case hypercalls...: .hypercall(index - hypercalls < 64 ? UInt64(index - hypercalls) : 0x1000)
    case hyperprivops...: Hyperprivop(rawValue: UInt64(index - hyperprivops)).map { .hyperprivop($0) }
    case 52...: .reflected(UInt16(index - 52) << 8)
    default: InterceptCause(rawValue: UInt8(index)).map { .instruction($0) }
    }
  }
}

/// What a virtual processor's exits were: counts by kind, and the last ones.
public struct ExitLog {
  /// One exit: when, why, where.
  public struct Entry: Sendable, Codable, Equatable {
    public var cycle: UInt64
    public var kind: ExitKind
    /// Of the instruction: its bundle's address, its slot in bits 1:0.
    public var ip: UInt64
    /// The instruction's 41 bits, the address that missed, the number of the firmware's gate.
    public var detail: UInt64
  }
  public static let remembered = 32

  private var counts = [UInt64](repeating: 0, count: ExitKind.count)
  private var ring: [Entry] = []
  private var position = 0

  mutating func note(_ entry: Entry) {
    counts[entry.kind.index] &+= 1
    if ring.count < Self.remembered {
      ring.append(entry)
    } else {
      ring[position] = entry
      position = (position + 1) % Self.remembered
    }
  }

  public var total: UInt64 { counts.reduce(0, +) }
  /// Kinds that occurred, most frequent first.
  public var byKind: [(kind: ExitKind, count: UInt64)] {
    counts.indices.filter { counts[$0] != 0 }.compactMap { index in ExitKind.at(index).map { ($0, counts[index]) } }
      .sorted { $0.1 != $1.1 ? $0.1 > $1.1 : $0.0.name < $1.0.name }
  }
  /// The last exits, oldest first.
  public var last: [Entry] { Array(ring[position...] + ring[..<position]) }
}
