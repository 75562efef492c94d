import Platform
import Processor

/// What the firmware can do to the machine.
public enum PowerAction: Sendable, Equatable {
  case powerOff
  case coldReset
  case warmReset
  /// The booted image returned to the firmware with this status.
  case imageReturned(UInt64)
}

/// The machine as the firmware sees it.
public protocol FirmwareHost: AnyObject {
  var memory: any GuestMemory { get }
  var processors: [LogicalProcessor] { get }
  /// The processors are virtual ones.
  var isVirtual: Bool { get }
  /// Resets a processor: `body` does it, to the state that the firmware's guest sees.
  func resetProcessor(_ index: Int, _ body: () -> Void)
  /// Asked from inside a gate, which then stops the processor's `run`.
  func perform(_ action: PowerAction)
}

extension FirmwareHost {
  /// On the bare machine that is the state that the processor has.
  public func resetProcessor(_ index: Int, _ body: () -> Void) { body() }
  public var isVirtual: Bool { false }
}

/// Configuration space of the PCI buses, reached through SAL. Without one, every read finds no device.
public protocol PCIConfigurationSpace: AnyObject {
  /// Reads 1, 2 or 4 bytes; all ones where no device answers.
  func read(_ address: PCIAddress, size: Int) -> UInt32
  func write(_ address: PCIAddress, size: Int, value: UInt32)
  /// Gives every function its address ranges and switches decoding on.
  func assignResources() throws(PCIRoot.Failure)
}

/// Address of a register in PCI configuration space.
public struct PCIAddress: Sendable, Equatable {
  public var segment: UInt16
  public var bus: UInt8
  public var device: UInt8
  public var function: UInt8
  public var register: UInt16

  public init(segment: UInt16, bus: UInt8, device: UInt8, function: UInt8, register: UInt16) {
    (self.segment, self.bus, self.device, self.function, self.register) = (segment, bus, device, function, register)
  }
}
