/// The root of the PCI bus: configuration space of bus 0, the windows of memory and ports in which functions decode their ranges, and
/// the wiring of interrupt pins to the I/O SAPIC.
public final class PCIRoot {
  public enum Failure: Error, Equatable, CustomStringConvertible {
    case occupied(device: UInt8, function: UInt8)
    case noRoom(device: UInt8, function: UInt8)
    public var description: String {
      switch self {
      case .occupied(let device, let function): "there already is a function at PCI 0:\(device).\(function)"
      case .noRoom(let device, let function): "no room for the address ranges of PCI 0:\(device).\(function)"
      }
    }
  }

  /// Bus mastering functions reach this memory.
  let memory: any DMAPort
  private unowned let bus: SystemBus
  private unowned let interrupts: IOSAPIC
  /// Device * 8 + function.
  private var functions: [Int: PCIFunction] = [:]
  /// Models live as long as their functions.
  private var models: [any PCIDeviceModel] = []
  /// Functions that assert each of the I/O SAPIC's inputs: pins are wired together.
  private var asserting: [Int: Set<Int>] = [:]
  private var ranges: [Decoded] = []
  private var rangesAreValid = false
  private var windows: [Window] = []

  private struct Decoded {
    let range: Range<UInt64>
    let isMemory: Bool
    let function: PCIFunction
    let bar: Int
  }

  public init(memory: any DMAPort, bus: SystemBus, interrupts: IOSAPIC) throws(AddressSpace.Failure) {
    self.memory = memory
    self.bus = bus
    self.interrupts = interrupts
    for range in [MemoryMap.pciMemory, MemoryMap.pciHighMemory] {
      let window = Window(self, base: range.lowerBound, isMemory: true)
      windows.append(window)
      try bus.memoryMapped.map("PCI memory", range, window)
    }
    let window = Window(self, base: MemoryMap.pciPorts.lowerBound, isMemory: false)
    windows.append(window)
    try bus.ports.map("PCI ports", MemoryMap.pciPorts, window)
  }

  // MARK: Assembly

  /// Plugs a function in. The root keeps `model` alive.
  public func attach(_ function: PCIFunction, model: any PCIDeviceModel, device: UInt8, function number: UInt8 = 0) throws(Failure)
  {
    let index = Int(device) * 8 + Int(number)
    guard device < 32, number < 8, functions[index] == nil else { throw .occupied(device: device, function: number) }
    function.model = model
    function.location = (device, number)
    function.root = self
    functions[index] = function
    models.append(model)
    decodingChanged()
  }

  /// First device number from `first` on that nothing uses; nil: the bus is full.
  public func freeDevice(from first: UInt8 = 0) -> UInt8? {
    (first..<32).first { device in functions.keys.allSatisfy { $0 / 8 != Int(device) } }
  }

  public func function(device: UInt8, function: UInt8) -> PCIFunction? { functions[Int(device) * 8 + Int(function)] }

  /// In the order of the bus.
  private var ordered: [PCIFunction] { functions.sorted { $0.key < $1.key }.map(\.value) }

  public func reset() { ordered.forEach { $0.reset() } }

  /// Gives every function its addresses and switches decoding on, as firmware does before an operating system starts: the systems of
  /// this architecture do not assign addresses themselves.
  public func assignResources() throws(Failure) {
    var nextPort = MemoryMap.pciPorts.lowerBound
    var nextMemory = MemoryMap.pciMemory.lowerBound
    var nextHigh = MemoryMap.pciHighMemory.lowerBound
    for function in ordered {
      var command: UInt16 = function.configuration.value(PCIRegister.command)
      for (index, address) in function.baseAddresses.enumerated() {
        let register = PCIRegister.bar0 + 4 * function.barNumbers[index]
        func place(_ next: inout UInt64, in window: Range<UInt64>) throws(Failure) -> UInt64 {
          let start = (next + address.size - 1) & ~(address.size - 1)
          let (device, number) = function.location ?? (0, 0)
          guard start + address.size <= window.upperBound else { throw .noRoom(device: device, function: number) }
          next = start + address.size
          return start
        }
        switch address {
        case .ports:
          let start = try place(&nextPort, in: MemoryMap.pciPorts)
          function.writeConfiguration(register, size: 4, UInt32(truncatingIfNeeded: start))
          command |= PCICommand.ports
        case .memory32:
          let start = try place(&nextMemory, in: MemoryMap.pciMemory)
          function.writeConfiguration(register, size: 4, UInt32(truncatingIfNeeded: start))
          command |= PCICommand.memory
        case .memory64(let size, _):
          // What is small stays below 4 GiB, where every driver can use it.
          let start =
            size > 1 << 24
            ? try place(&nextHigh, in: MemoryMap.pciHighMemory) : try place(&nextMemory, in: MemoryMap.pciMemory)
          function.writeConfiguration(register, size: 4, UInt32(truncatingIfNeeded: start))
          function.writeConfiguration(register + 4, size: 4, UInt32(truncatingIfNeeded: start >> 32))
          command |= PCICommand.memory
        }
      }
      let pin = function.configuration.bytes[PCIRegister.interruptPin]
      if pin > 0, let (device, _) = function.location {
        function.writeConfiguration(PCIRegister.interruptLine, size: 1, UInt32(Self.input(device: device, pin: pin)))
      }
      function.writeConfiguration(PCIRegister.command, size: 2, UInt32(command))
    }
  }

  // MARK: Configuration space

  /// Reads 1, 2 or 4 bytes of bus 0; all ones where nobody answers.
  public func readConfiguration(bus: UInt8, device: UInt8, function: UInt8, register: UInt16, size: Int) -> UInt32 {
    let ones = UInt32.max >> UInt32(32 - 8 * size)
    guard bus == 0, let f = self.function(device: device, function: function),
      Int(register) + size <= PCIConfiguration.size
    else { return ones }
    return f.readConfiguration(Int(register), size: size)
  }

  public func writeConfiguration(bus: UInt8, device: UInt8, function: UInt8, register: UInt16, size: Int, value: UInt32) {
    guard bus == 0, let f = self.function(device: device, function: function),
      Int(register) + size <= PCIConfiguration.size
    else { return }
    f.writeConfiguration(Int(register), size: size, value)
  }

  // MARK: Decoding

  func decodingChanged() {
    rangesAreValid = false
    if functions.values.contains(where: \.isDirect) { directDecodingChanged?() }
  }

  // MARK: Direct functions

  /// Told when the addresses of functions that are direct may have changed, and when one of them interrupts.
  public var directDecodingChanged: (() -> Void)?
  public var directInterrupt: (() -> Void)?

  /// Whether a physical address, of memory or in the port space, is a register of a direct function.
  public func isDirect(_ physical: UInt64) -> Bool {
    let inPorts = physical &- MemoryMap.portSpace
    if inPorts < MemoryMap.portSpaceSize {
      return find((inPorts >> 12) << 2 | inPorts & 3, isMemory: false)?.function.isDirect == true
    }
    return find(physical, isMemory: true)?.function.isDirect == true
  }

  private func find(_ address: UInt64, isMemory: Bool) -> Decoded? {
    if !rangesAreValid {
      rangesAreValid = true
      ranges.removeAll()
      for function in ordered {
        for (index, kind) in function.baseAddresses.enumerated() {
          var memory = true
          if case .ports = kind { memory = false }
          guard memory ? function.memoryEnabled : function.portsEnabled else { continue }
          let start = function.address(index)
          let (end, overflow) = start.addingReportingOverflow(kind.size)
          guard !overflow else { continue }
          ranges.append(Decoded(range: start..<end, isMemory: memory, function: function, bar: function.barNumbers[index]))
        }
      }
    }
    return ranges.first { $0.isMemory == isMemory && $0.range.contains(address) }
  }

  /// Part of the address map that the root forwards to the bus.
  private final class Window: BusDevice {
    private unowned let root: PCIRoot
    private let base: UInt64
    private let isMemory: Bool
    init(_ root: PCIRoot, base: UInt64, isMemory: Bool) { (self.root, self.base, self.isMemory) = (root, base, isMemory) }

    func read(offset: UInt64, size: Int) -> UInt64 {
      let address = base + offset
      guard let d = root.find(address, isMemory: isMemory), address + UInt64(size) <= d.range.upperBound else {
        return UInt64.max >> UInt64(64 - 8 * size)
      }
      return d.function.model?.read(bar: d.bar, offset: address - d.range.lowerBound, size: size) ?? .max
    }

    func write(offset: UInt64, size: Int, value: UInt64) {
      let address = base + offset
      guard let d = root.find(address, isMemory: isMemory), address + UInt64(size) <= d.range.upperBound else { return }
      d.function.model?.write(bar: d.bar, offset: address - d.range.lowerBound, size: size, value: value)
    }
  }

  // MARK: Interrupts

  /// Inputs of the I/O SAPIC for PCI pins: twelve devices have four of their own, the others share. The DSDT's _PRT says the same.
  static let firstInput = 16
  static let inputs = 48
  /// `pin`: 1 to 4.
  public static func input(device: UInt8, pin: UInt8) -> Int { firstInput + (Int(device) * 4 + Int(pin) - 1) % inputs }

  func setPin(of function: PCIFunction, _ asserted: Bool) {
    let pin = function.configuration.bytes[PCIRegister.interruptPin]
    guard (1...4).contains(pin), let (device, number) = function.location else { return }
    let input = Self.input(device: device, pin: pin)
    let index = Int(device) * 8 + Int(number)
    if asserted { asserting[input, default: []].insert(index) } else { asserting[input]?.remove(index) }
    interrupts.set(input, asserting[input]?.isEmpty == false)
  }

  /// A message is an ordinary write of four bytes; only the interrupt block takes it for what it is.
  func sendMessage(address: UInt64, data: UInt16) {
    bus.write(physical: address, size: 4, value: UInt64(data))
  }
}
