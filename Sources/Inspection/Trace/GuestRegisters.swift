import IA64
import Processor

/// Registers of a guest by the names that assemblers give them, as conditions and debuggers ask for them.
public struct GuestRegisters {
  private let processor: LogicalProcessor
  private let guest: GuestContext?

  /// `guest`: whose control registers are meant; nil: the processor's own.
  public init(_ processor: LogicalProcessor, guest: GuestContext? = nil) { (self.processor, self.guest) = (processor, guest) }

  private static let application = numbers(RegisterNames.application)
  private static let control = numbers(RegisterNames.control)
  private static func numbers(_ names: [Int: String]) -> [String: Int] {
    Dictionary(names.map { ($1, $0) }) { first, _ in first }
  }

  /// Nil: there is no register of this name, or it is outside of the frame.
  public subscript(_ name: String) -> UInt64? {
    let s = processor.state
    func number(_ prefix: String, _ limit: Int) -> Int? {
      guard name.hasPrefix(prefix), let number = Int(name.dropFirst(prefix.count)), number >= 0, number < limit else { return nil }
      return number
    }
    if let n = number("rr", 8) { return presented { $0.rr[n] } }
    if let n = number("r", 128) { return n < 32 + s.pointee.sof ? s.gr[n] : nil }
    if let n = number("b", 8) { return s.br[n] }
    if let n = number("p", 64) { return UInt64(s.pr[n]) }
    switch name {
    case "ip": return s.pointee.ip
    case "psr": return presented { $0.pointee.psr }
    case "cfm": return processor.cfm
    default: break
    }
    if name.hasPrefix("ar.") {
      switch name.dropFirst(3) {
      case "bsp": return s.pointee.bsp
      case "bspstore": return s.pointee.bspStore
      case "rnat": return s.pointee.rnat
      case "itc": return presented { _ in processor.itc }
      case let rest: return Self.application[String(rest)].map { s.ar[$0] }
      }
    }
    if name.hasPrefix("cr.") { return Self.control[String(name.dropFirst(3))].map { n in presented { $0.cr[n] } } }
    return nil
  }

  private func presented<T>(_ body: (State) -> T) -> T {
    guard let guest else { return body(processor.state) }
    return processor.withGuest(guest) { body(processor.state) }
  }
}
