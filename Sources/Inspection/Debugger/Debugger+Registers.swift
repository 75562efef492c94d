import Arithmetic
import IA64
import Processor

/// Registers by gdb's numbers for IA-64 (its `ia64-tdep.h`): 462 of them, 8 bytes each, floating-point registers 16.
///
/// gdb finds r32 and up in memory, below BSP, which for it is the end of the current frame as Linux's ptrace reports it; so that is what it
/// gets. The numbers of those registers and of single predicates are never asked for, and have their values all the same.
public enum RemoteRegister {
  public static let count = 462
  static let general = 0..<128
  static let floating = 128..<256
  static let predicate = 256..<320
  static let branch = 320..<328
  /// vfp and vrap, which are of the compiler's making.
  static let virtual = 328..<330
  static let predicates = 330
  static let ip = 331
  static let psr = 332
  static let cfm = 333
  static let application = 334..<462

  public static func size(_ number: Int) -> Int { floating.contains(number) ? 16 : 8 }
}

extension Debugger {
  /// A register in the byte order of the guest; nil: it has none.
  public func remoteRegister(_ number: Int, _ index: Int) -> [UInt8]? { inspect(index) { Self.remote(number, $0) } }

  /// All of them, in the order of their numbers.
  public func remoteRegisters(_ index: Int) -> [[UInt8]?] {
    inspect(index) { processor in (0..<RemoteRegister.count).map { Self.remote($0, processor) } }
  }

  private static func remote(_ number: Int, _ processor: LogicalProcessor) -> [UInt8]? {
    typealias R = RemoteRegister
    let s = processor.state
    func word(_ value: UInt64) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
    switch number {
    case R.general: return number < 32 + s.pointee.sof ? word(s.gr[number]) : nil
    case R.floating:
      let value = s.f(UInt8(number - R.floating.lowerBound)).value
      return word(value.significand) + word(value.signExponent)
    case R.predicate: return word(UInt64(s.pr[number - R.predicate.lowerBound]))
    case R.branch: return word(s.br[number - R.branch.lowerBound])
    case R.predicates: return word(processor.predicateWord())
    case R.ip: return word(s.pointee.ip)
    case R.psr: return word(s.pointee.psr)
    case R.cfm: return word(processor.cfm)
    case R.application: return applicationRegister(number - R.application.lowerBound, processor).map(word)
    default: return nil
    }
  }

  /// Nil: there is no such register.
  private static func applicationRegister(_ n: Int, _ processor: LogicalProcessor) -> UInt64? {
    switch n {
    case AR.bsp: processor.endOfFrame
    case AR.rnat: processor.flushedCollection
    case 0...7, 16...19, 21, 24...30, 32, 36, 40, 44, 64...66: processor.readAR(n)
    default: nil
    }
  }

  /// False: it cannot be changed, or not to that value.
  public func setRemoteRegister(_ number: Int, _ bytes: [UInt8], _ index: Int) -> Bool {
    typealias R = RemoteRegister
    guard 0..<R.count ~= number, bytes.count == R.size(number) else { return false }
    let low = bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    if remoteRegister(number, index) == bytes { return true }
    return change(index) { processor in
      switch number {
      case R.general: return processor.edit(gr: number, low)
      case R.floating:
        let high = bytes.suffix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return processor.edit(fr: number - R.floating.lowerBound, FloatRegister(significand: low, signExponent: high))
      case R.branch: return processor.edit(br: number - R.branch.lowerBound, low)
      case R.predicates:
        processor.setPredicateWord(low, mask: ~0)
        return true
      case R.ip: return processor.edit(ip: low)
      case R.psr: return processor.edit(psr: low)
      case R.application: return processor.edit(ar: number - R.application.lowerBound, low)
      default: return false
      }
    }
  }

  // MARK: By name

  /// A register by its assembler's name, with `nat` for a register that holds nothing; nil: there is no such register.
  public func register(named name: String, _ index: Int) -> (value: UInt64, isNaT: Bool)? {
    inspect(index) { processor in
      let s = processor.state
      func number(_ prefix: String, _ range: Range<Int>) -> Int? {
        guard name.hasPrefix(prefix), let n = Int(name.dropFirst(prefix.count)), range.contains(n) else { return nil }
        return n
      }
      switch name {
      case "ip", "pc": return (s.pointee.ip | PSR.ri(s.pointee.psr), false)
      case "sp": return (s.gr[12], s.nat(12))
      case "gp": return (s.gr[1], s.nat(1))
      case "psr": return (s.pointee.psr, false)
      case "cfm": return (processor.cfm, false)
      case "pr": return (processor.predicateWord(), false)
      default: break
      }
      if let n = number("rr", 0..<8) { return (s.rr[n], false) }
      if let n = number("r", 0..<128) {
        guard n < 32 + s.pointee.sof else { return nil }
        return (s.gr[n], s.nat(UInt8(n)))
      }
      if let n = number("b", 0..<8) { return (s.br[n], false) }
      if let n = number("pkr", 0..<16) { return (s.pkr[n], false) }
      if let n = number("p", 0..<64) { return (UInt64(s.pr[n]), false) }
      if let n = number("f", 0..<128) { return (s.f(UInt8(n)).value.significand, s.f(UInt8(n)).value.isNaTVal) }
      if let n = NamedRegisters.control.first(where: { $0.name == name })?.number { return (s.cr[n], false) }
      if let n = NamedRegisters.application.first(where: { $0.name == name })?.number { return (processor.readAR(n), false) }
      return nil
    }
  }
}

/// Registers that have names, in the order in which they are shown.
enum NamedRegisters {
  static let control = [
    CR.dcr, CR.itm, CR.iva, CR.pta, CR.ipsr, CR.isr, CR.iip, CR.ifa, CR.itir, CR.iipa, CR.ifs, CR.iim, CR.iha, CR.lid, CR.tpr,
    CR.itv,
    CR.pmv, CR.cmcv, CR.lrr0, CR.lrr1,
  ].compactMap { number in RegisterNames.control[number].map { (name: "cr." + $0, number: number) } }

  static let application =
    (Array(AR.k0..<AR.k0 + 8) + [
      AR.rsc, AR.bsp, AR.bspstore, AR.rnat, AR.ccv, AR.unat, AR.fpsr, AR.itc, AR.pfs, AR.lc, AR.ec,
    ]).compactMap { number in RegisterNames.application[number].map { (name: "ar." + $0, number: number) } }
}
