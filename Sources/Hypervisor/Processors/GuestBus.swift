import Platform
import Processor

/// The machine's bus as a virtual processor reaches it: only through translations that the hypervisor makes for single instructions, at
/// physical addresses that no RAM has.
final class GuestBus: ProcessorBus {
  /// Set in machine addresses that stand for the guest-physical addresses of devices.
  static let deviceBit: UInt64 = 1 << 49

  private let bus: SystemBus
  init(_ bus: SystemBus) { self.bus = bus }

  func read(physical: UInt64, size: Int) -> UInt64 { bus.read(physical: physical & ~Self.deviceBit, size: size) }
  func write(physical: UInt64, size: Int, value: UInt64) {
    bus.write(physical: physical & ~Self.deviceBit, size: size, value: value)
  }
  func firmwareGate(_ number: UInt64, processor: LogicalProcessor) -> GateOutcome {
    bus.firmwareGate(number, processor: processor)
  }
}
