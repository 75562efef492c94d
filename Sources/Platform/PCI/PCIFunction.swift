/// What makes a PCI function more than its configuration space.
public protocol PCIDeviceModel: AnyObject {
  /// Reads `size` (1, 2, 4 or 8) bytes at `offset` of the range of base address register `bar` (0 to 5). Never called while the
  /// function's command register has the range switched off; the range is never left.
  func read(bar: Int, offset: UInt64, size: Int) -> UInt64
  func write(bar: Int, offset: UInt64, size: Int, value: UInt64)
  /// The guest has written `size` bytes of configuration space at `register`; the new contents are in the function's `configuration`.
  func configurationWritten(_ register: Int, size: Int)
  /// The guest is about to read `size` bytes of configuration space at `register`: the last moment to bring the function's
  /// `configuration` up to date.
  func configurationWillBeRead(_ register: Int, size: Int)
  /// RST# was asserted. The function has reset its header.
  func reset()
}

extension PCIDeviceModel {
  public func configurationWritten(_ register: Int, size: Int) {}
  public func configurationWillBeRead(_ register: Int, size: Int) {}
}

/// One function of a PCI device: header, base addresses, interrupt pin, MSI, and the way to memory. Its registers are a
/// ``PCIDeviceModel``'s business.
public final class PCIFunction {
  public let baseAddresses: [PCIBaseAddress]
  /// Register number of each base address; a 64-bit one takes two.
  let barNumbers: [Int]
  public var configuration: PCIConfiguration
  private let initial: PCIConfiguration
  /// Offset of the MSI capability, if there is one.
  private let messageCapability: Int?
  public weak var model: (any PCIDeviceModel)?
  /// Where the function sits; set by ``PCIRoot/attach(_:device:function:)``.
  public internal(set) var location: (device: UInt8, function: UInt8)?
  weak var root: PCIRoot?
  /// A physical function that the guest of a virtual machine has for itself: it reaches the registers without its hypervisor.
  public var isDirect = false
  /// The pin is asserted by the device, whatever the command register says.
  private(set) var interruptLevel = false

  /// `interruptPin`: 1 for INTA#; 0: none. `messageCapability`: where in configuration space a 64-bit MSI capability with one message
  /// goes. `setUp` adds what else configuration space has.
  public init(
    _ identity: PCIIdentity, isMultifunction: Bool = false, baseAddresses: [Int: PCIBaseAddress] = [:], interruptPin: UInt8 = 0,
    messageCapability: Int? = nil, setUp: (inout PCIConfiguration) -> Void = { _ in }
  ) {
    let sorted = baseAddresses.sorted { $0.key < $1.key }
    barNumbers = sorted.map(\.key)
    self.baseAddresses = sorted.map(\.value)
    self.messageCapability = messageCapability
    var c = PCIConfiguration(identity, isMultifunction: isMultifunction)
    for (number, address) in sorted {
      precondition(number + address.registers <= 6 && address.size & (address.size - 1) == 0, "base address \(number)")
      let register = PCIRegister.bar0 + 4 * number
      c.set(register, address.kind)
      if case .memory64(let size, _) = address {
        c.allow(register, ~(size - 1))
      } else {
        c.allow(register, ~UInt32(truncatingIfNeeded: address.size - 1))
      }
    }
    c.set(PCIRegister.interruptPin, interruptPin)
    if let offset = messageCapability {
      c.addCapability(0x05, at: offset)
      c.set(offset + 2, UInt16(1 << 7))  // 64-bit address, one message
      c.allow(offset + 2, UInt16(1))
      c.allow(offset + 4, ~UInt64(3))
      c.allow(offset + 12, UInt16.max)
    }
    setUp(&c)
    initial = c
    configuration = c
  }

  // MARK: Configuration

  private func mayUse(_ bit: UInt16) -> Bool { configuration.value(PCIRegister.command, as: UInt16.self) & bit != 0 }
  /// The function decodes its port ranges.
  public var portsEnabled: Bool { mayUse(PCICommand.ports) }
  public var memoryEnabled: Bool { mayUse(PCICommand.memory) }
  public var isBusMaster: Bool { mayUse(PCICommand.busMaster) }

  /// Base address `index` (counted from 0 in `baseAddresses`) as it is programmed.
  func address(_ index: Int) -> UInt64 {
    let register = PCIRegister.bar0 + 4 * barNumbers[index]
    switch baseAddresses[index] {
    case .ports: return UInt64(configuration.value(register, as: UInt32.self) & ~3)
    case .memory32: return UInt64(configuration.value(register, as: UInt32.self) & ~0xF)
    case .memory64: return configuration.value(register, as: UInt64.self) & ~0xF
    }
  }

  func readConfiguration(_ register: Int, size: Int) -> UInt32 {
    if register <= PCIRegister.status && register + size > PCIRegister.status {
      // Interrupt status: the pin as the device drives it.
      let status = configuration.value(PCIRegister.status, as: UInt16.self)
      configuration.set(PCIRegister.status, interruptLevel ? status | 8 : status & ~8)
    }
    model?.configurationWillBeRead(register, size: size)
    return configuration.read(register, size: size)
  }

  func writeConfiguration(_ register: Int, size: Int, _ value: UInt32) {
    configuration.write(register, size: size, value)
    model?.configurationWritten(register, size: size)
    if register < PCIRegister.bar0 + 24 { root?.decodingChanged() }
    updateInterrupt()
  }

  public func reset() {
    configuration = initial
    interruptLevel = false
    updateInterrupt()
    root?.decodingChanged()
    model?.reset()
  }

  // MARK: Interrupts

  private var messagesEnabled: Bool {
    guard let messageCapability else { return false }
    return configuration.bytes[messageCapability + 2] & 1 != 0
  }

  /// Drives the function's interrupt: its pin, or, with MSI switched on, one message for each rise.
  public func setInterrupt(_ asserted: Bool) {
    let rises = asserted && !interruptLevel
    interruptLevel = asserted
    if rises && isDirect { root?.directInterrupt?() }
    if messagesEnabled {
      if rises { sendMessage() }
    } else {
      updateInterrupt()
    }
  }

  private func sendMessage() {
    guard isBusMaster, let offset = messageCapability else { return }
    root?.sendMessage(
      address: configuration.value(offset + 4, as: UInt64.self), data: configuration.value(offset + 12, as: UInt16.self))
  }

  private func updateInterrupt() {
    root?.setPin(of: self, interruptLevel && !messagesEnabled && !mayUse(PCICommand.interruptDisable))
  }
}

/// The function as bus master: nothing gets through unless the command register lets it.
extension PCIFunction: DMAPort {
  public func read(_ address: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Bool {
    isBusMaster && root?.memory.read(address, into: buffer) ?? false
  }
  public func write(_ address: UInt64, from buffer: UnsafeRawBufferPointer) -> Bool {
    isBusMaster && root?.memory.write(address, from: buffer) ?? false
  }
}
