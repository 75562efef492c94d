import Hypervisor
import IA64
import Processor

/// Records as lines for people.
public struct TraceText {
  private let symbols: SymbolTable?
  private let place: (TraceRecord) -> String?

  public init(symbols: SymbolTable?, place: @escaping (TraceRecord) -> String?) { (self.symbols, self.place) = (symbols, place) }

  public static func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }

  private func address(_ value: UInt64) -> String { Self.hex(value) + (symbols?.name(of: value).map { " <\($0)>" } ?? "") }

  /// Where: bundle, slot, function.
  func location(_ ip: UInt64) -> String {
    Self.location(ip) + (symbols?.name(of: ip & ~0xF).map { " <\($0)>" } ?? "")
  }

  /// An instruction's address, the slot behind a point.
  static func location(_ ip: UInt64) -> String { hex(ip & ~0xF) + (ip & 3 == 0 ? "" : ".\(ip & 3)") }

  /// Columns of ``line(_:)``.
  public static let header = "cycle            dom cpu pcpu kind         cause, where: what"

  /// One line, without its end.
  public func line(_ r: TraceRecord) -> String {
    func column(_ value: UInt8) -> String { value == TraceRecord.noProcessor ? "-" : "\(value)" }
    var line =
      "\(r.cycle)".padded(17) + "\(r.domain)".padded(4) + column(r.processor).padded(4) + column(r.physical).padded(5)
      + r.kind.name.padded(13) + r.causeName
    if r.ip != 0 { line += " at " + location(r.ip) }
    let details = details(r)
    if !details.isEmpty { line += ": " + details }
    if r.cost != 0 { line += " (\(r.cost) cycles)" }
    return line
  }

  /// What has happened, without when and where.
  func what(_ r: TraceRecord) -> String {
    let details = details(r)
    return "\(r.kind.name): \(r.causeName)" + (details.isEmpty ? "" : ", " + details)
  }

  private func details(_ r: TraceRecord) -> String {
    let hex = Self.hex
    switch r.kind {
    case .interruption:
      return "isr \(hex(r.a)), ipsr \(hex(r.b))" + (r.detail != 0 ? ", ifa \(address(r.detail))" : "")
        + (r.c != 0 ? ", iim \(hex(r.c))" : "")
    case .exit: return exit(r)
    case .insert:
      let register = r.cause > 1 ? "register \(r.cause / 2 - 1), " : ""
      let (ar, pl, ma, key) = (r.c & 7, r.c >> 3 & 3, r.c >> 5 & 7, r.c >> 8)
      return
        "\(register)\(hex(r.detail)) to \(hex(r.a)), 2^\(r.b & 0xFF) bytes, rid \(hex(r.b >> 8)), ar \(ar), pl \(pl), ma \(ma), key \(hex(key))"
    case .purge:
      return r.cause == UInt16(TranslationPurge.Kind.everything.rawValue) ? "" : "\(hex(r.detail)) to \(hex(r.a)), rid \(hex(r.b))"
    case .firmware: return "index \(hex(r.detail)), argument \(hex(r.a)), status \(hex(r.c))"
    case .event: return "port \(r.detail) to port \(r.a & 0xFFFF_FFFF) of domain \(r.a >> 32)"
    case .schedule: return r.cause == 1 ? "" : "virtual processor \(r.processor) of domain \(r.domain)"
    case .request: return (place(r) ?? "device \(r.b)") + ", \(r.a) bytes" + (r.cause & 3 == 2 ? "" : " at \(r.detail)")
    case .service, .frame: return (place(r) ?? "device \(r.b)") + ", \(r.a) bytes"
    case .rfi: return ""
    }
  }

  private func exit(_ r: TraceRecord) -> String {
    let hex = Self.hex
    switch r.exitKind {
    case .instruction(let cause)?:
      let text = Self.instruction(r.detail, cause)
      return text + (InterceptOperands.text(r, cause).map { " (\($0))" } ?? "")
    case .instructionMiss?, .dataMiss?: return address(r.detail)
    case .deviceMemory?, .port?, .interruptBlock?, .ioSAPIC?:
      let size = r.b & 0xFF
      let access = size == 0 ? "" : r.b & TraceRecord.store != 0 ? "st\(size) \(hex(r.a)) to " : "ld\(size) \(hex(r.a)) from "
      return access + hex(r.detail) + (place(r).map { " <\($0)>" } ?? "")
    case .firmware?:
      return "gate \(hex(r.detail)), index \(hex(r.a)), argument \(hex(r.b)), status \(hex(r.c))"
    case .hypercall?: return "\(r.detail)(\(hex(r.a)), \(hex(r.b))) = \(hex(r.c))"
    case .hyperprivop?: return "r8 \(hex(r.a)), r9 \(hex(r.b)), result \(hex(r.c))"
    case .reflected?: return r.detail != 0 ? address(r.detail) : ""
    default: return r.detail != 0 ? hex(r.detail) : ""
    }
  }

  /// The assembler's text of a virtualized instruction, from its 41 bits.
  public static func instruction(_ opcode: UInt64, _ cause: InterceptCause) -> String {
    let isBranch =
      switch cause {
      case .cover, .rfi, .bsw0, .bsw1, .vmsw: true
      default: false
      }
    // Template MIB; what is not asked for is a nop.
    let bundle = Bundle(template: 0x10, slots: (isBranch ? 0x800_0000 : opcode, 0x800_0000, isBranch ? opcode : 0x40_0000_0000))
    return Disassembler().text(of: isBranch ? 2 : 0, in: bundle, at: 0) ?? TraceText.hex(opcode)
  }
}
