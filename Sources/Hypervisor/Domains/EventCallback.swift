/// Which interrupt tells an HVM domain's guest of events: HVM_PARAM_CALLBACK_IRQ (`xen/include/public/hvm/params.h`).
public enum EventCallback: Equatable, Sendable {
  /// A global interrupt number: a pin of the I/O SAPIC.
  case line(Int)
  /// An interrupt pin (0: INTA) of a PCI device. Domain and bus are ignored, as Xen/ia64 does.
  case pci(device: UInt8, pin: UInt8)

  /// Nil: none.
  init?(_ value: UInt64) {
    guard value != 0 else { return nil }
    switch value >> 56 {
    case 0: self = .line(Int(truncatingIfNeeded: value & 0xFF_FFFF))
    case 1: self = .pci(device: UInt8(value >> 11 & 31), pin: UInt8(value & 3))
    default: return nil
    }
  }
}
