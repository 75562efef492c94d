import Hypervisor
import Processor

/// What a record of a trace is about. Raw values are the file format's.
public enum TraceKind: UInt8, Sendable, CaseIterable {
  /// An interruption has been delivered to the guest.
  case interruption = 0
  /// A domain's guest was left, and went on.
  case exit = 1
  /// `itc`, `itr`, and what purges.
  case insert = 2
  case purge = 3
  /// The bare machine's firmware was called (a domain's is an exit).
  case firmware = 4
  /// A send over an event channel.
  case event = 5
  /// A physical processor runs another virtual one from now on.
  case schedule = 6
  /// A device has made a request of its medium, and a medium has been busy with one.
  case request = 7
  case service = 8
  /// A frame has left or reached a network adapter.
  case frame = 9
  /// rfi has been executed. For conditions only: it is not recorded.
  case rfi = 10

  /// The word for it in expressions and tables.
  public var name: String { "\(self)" }
}

/// One thing that happened. What `cause`, `detail`, `a`, `b` and `c` mean depends on the kind:
///
/// | kind | cause | detail | a | b | c |
/// | --- | --- | --- | --- | --- | --- |
/// | interruption | vector | IFA | ISR | IPSR | IIM |
/// | exit | ``ExitKind/index`` | instruction's 41 bits, address, or number | value of its r3 before | of its r2 before | of its r1 after |
/// | exit: device, port | | guest-physical address | value | size; + ``TraceRecord/store`` | |
/// | exit: hypercall | | number | first argument | second | result |
/// | insert | 0 data, 1 instruction; + 2 × (1 + register) | virtual address | physical address | rid << 8 \| log2 of the size | rights, level, attribute, key |
/// | purge | ``TranslationPurge/Kind`` | first address | last | rid | |
/// | firmware | gate | PAL's or SAL's index | first argument | | status |
/// | event | | port | domain << 32 \| port of the peer | | |
/// | schedule | 1: idle from now on | | | | |
/// | request | 0 read, 1 write, 2 flush; + 4: failed | offset | bytes | device | |
/// | service | 0 read, 1 write | | bytes | device | |
/// | frame | 0 sent, 1 received | | bytes | device | |
public struct TraceRecord: Sendable, Equatable {
  /// When it began, on the machine's clock.
  public var cycle: UInt64
  public var kind: TraceKind
  public var domain: UInt16 = 0
  /// The virtual processor, or the bare machine's; 255: none.
  public var processor: UInt8 = Self.noProcessor
  /// The physical one.
  public var physical: UInt8 = Self.noProcessor
  public var cause: UInt16 = 0
  /// The instruction: its bundle's address, its slot in bits 1:0.
  public var ip: UInt64 = 0
  public var detail: UInt64 = 0
  public var a: UInt64 = 0
  public var b: UInt64 = 0
  public var c: UInt64 = 0
  /// Cycles until it was over.
  public var cost: UInt64 = 0

  public static let noProcessor: UInt8 = 255
  /// In ``b`` of an exit for a device: it was written to.
  public static let store: UInt64 = 1 << 8

  public init(cycle: UInt64, kind: TraceKind) {
    self.cycle = cycle
    self.kind = kind
  }
}

extension TraceRecord {
  /// Of an exit.
  public var exitKind: ExitKind? {
    guard kind == .exit else { return nil }
    let found = ExitKind.at(Int(cause))
    if case .hypercall = found { return .hypercall(detail) }
    return found
  }

  /// What caused it, as ``--stats`` names it.
  public var causeName: String {
    switch kind {
    case .interruption: Vector(rawValue: cause).map { "\($0)" } ?? "vector 0x" + String(cause, radix: 16)
    case .exit: exitKind?.name ?? "exit \(cause)"
    case .insert: (cause > 1 ? "itr." : "itc.") + (cause & 1 != 0 ? "i" : "d")
    case .purge: TranslationPurge.Kind(rawValue: UInt8(truncatingIfNeeded: cause))?.mnemonic ?? "purge"
    case .firmware: Self.firmwareName(cause)
    case .event: "send"
    case .schedule: cause == 1 ? "idle" : "run"
    case .request: ["read", "write", "flush", "flush"][Int(cause & 3)] + (cause & 4 != 0 ? " (failed)" : "")
    case .service: cause == 1 ? "write" : "read"
    case .frame: cause == 1 ? "received" : "sent"
    case .rfi: "rfi"
    }
  }

  private static func firmwareName(_ gate: UInt16) -> String {
    switch gate {
    case 0x10: "PAL"
    case 0x20: "SAL"
    case 0x30: "FPSWA"
    default: gate < 0x10 ? "firmware" : "EFI"
    }
  }

  /// The device of a request, of a service, of a frame.
  public var device: UInt64? {
    switch kind {
    case .request, .service, .frame: b
    default: nil
    }
  }
}
