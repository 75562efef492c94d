import HostResources
import Platform

/// A virtio device on the PCI bus (section 4.1): the legacy interface in ports, the modern one in memory, one interrupt pin.
public final class VirtioPCI: PCIDeviceModel {
  /// Everything that a saved machine needs of the transport; the device has its own.
  public struct State: Sendable, Equatable, Codable {
    public static let version = 1
    var status: UInt8 = 0
    /// The driver uses the legacy interface.
    var isLegacyDriver = false
    var isr: UInt8 = 0
    var generation: UInt8 = 0
    /// Which half of the features is shown, and which one is written.
    var deviceFeatureSelect: UInt32 = 0
    var driverFeatureSelect: UInt32 = 0
    /// What the driver has said that it understands.
    var driverFeatures: UInt64 = 0
    var queueSelect: UInt16 = 0
    var queues: [Virtqueue]
    /// Queues that the device is about to look at, one bit each.
    var looks: UInt16 = 0
    /// A queue is useless; only a reset helps.
    var fault: VirtqueueFault?
  }

  /// What went through the transport since power-on.
  public struct Statistics: Sendable, Equatable, Codable {
    public internal(set) var notifications: UInt64 = 0
    public internal(set) var interrupts: UInt64 = 0
    /// Chains that were taken from queues.
    public internal(set) var requests: UInt64 = 0
    /// Times that a driver has made a queue useless.
    public internal(set) var faults: UInt64 = 0
    /// Configuration changes that the driver was told of.
    public internal(set) var configurationChanges: UInt64 = 0
    /// Cycles of the host in which the device has looked at empty queues.
    public internal(set) var cyclesAwake: UInt64 = 0
  }

  static let vendor: UInt16 = 0x1AF4

  public let function: PCIFunction
  public let device: VirtioDevice
  public let interface: VirtioInterface
  public var state: State
  public internal(set) var statistics = Statistics()

  public init(_ device: VirtioDevice, interface: VirtioInterface = .transitional) {
    self.device = device
    self.interface = interface
    state = State(queues: device.queueSizes.map(Virtqueue.init(maximumSize:)))
    let kind = device.kind
    let isModern = interface == .modern
    let identity = PCIIdentity(
      vendor: Self.vendor, device: isModern ? kind.modernID : kind.transitionalID, revision: isModern ? 1 : 0,
      classCode: kind.classCode, subsystemVendor: Self.vendor, subsystem: isModern ? 0x1100 : kind.rawValue)
    var bases: [Int: PCIBaseAddress] = [VirtioStructure.bar: .memory64(size: VirtioStructure.barSize)]
    if !isModern {
      bases[0] = .ports(size: UInt32(LegacyRegister.configuration + device.configuration.count).roundedUpToPowerOfTwo)
    }
    function = PCIFunction(identity, baseAddresses: bases, interruptPin: 1) { configuration in
      VirtioStructure.addCapabilities(to: &configuration, deviceSize: device.configuration.count)
    }
    device.transport = self
  }

  // MARK: Features

  /// What the device can do, as far as a driver of this interface may know it.
  func offered(legacy: Bool) -> UInt64 {
    let ring = VirtioFeature.indirectDescriptors | VirtioFeature.eventIndex
    return device.features | ring | (legacy ? VirtioFeature.anyLayout : VirtioFeature.version1)
  }

  /// What both sides know of. A driver of the legacy interface may use it before it says that it has finished.
  var negotiated: UInt64 { state.driverFeatures }
  var isModernDriver: Bool { !state.isLegacyDriver }
  private var usesEventIndex: Bool { negotiated & VirtioFeature.eventIndex != 0 }

  /// Requests are taken (section 3.1.1: none before DRIVER_OK; legacy drivers are not that strict).
  var isRunning: Bool {
    state.fault == nil
      && (state.status & VirtioStatus.driverOK != 0 || state.isLegacyDriver && state.status & VirtioStatus.driver != 0)
  }

  func setStatus(_ status: UInt8, legacy: Bool) {
    guard status != 0 else { return resetDevice() }
    state.isLegacyDriver = legacy
    let old = state.status
    // The driver cannot take back what the device says of itself.
    var new = status & ~VirtioStatus.needsReset | old & VirtioStatus.needsReset
    if !legacy && new & ~old & VirtioStatus.featuresOK != 0 {
      let features = state.driverFeatures
      let isPossible =
        features & ~offered(legacy: false) == 0 && features & VirtioFeature.version1 != 0 && device.accepts(features)
      if !isPossible { new &= ~VirtioStatus.featuresOK }
    }
    // Without FEATURES_OK a modern driver has nothing to be ready with.
    if !legacy && new & VirtioStatus.featuresOK == 0 { new &= ~VirtioStatus.driverOK }
    state.status = new
    if new & ~old & VirtioStatus.driverOK != 0 {
      // What was made available before was not heard of.
      for queue in state.queues.indices { scheduleLook(queue, at: device.now &+ VirtioDevice.notificationTime) }
    }
  }

  // MARK: Reset

  /// RST#: configuration space as well.
  public func reset() { resetDevice() }

  private func resetDevice() {
    state = State(queues: device.queueSizes.map(Virtqueue.init(maximumSize:)))
    function.setInterrupt(false)
    device.reset()
  }

  // MARK: Queues

  func notify(_ queue: Int) {
    statistics.notifications += 1
    scheduleLook(queue, at: device.now &+ VirtioDevice.notificationTime)
  }

  /// The device looks at a queue at `cycle`, or earlier if that was planned already.
  func scheduleLook(_ queue: Int, at cycle: UInt64) {
    guard isUsable(queue), state.looks & 1 << UInt16(queue) == 0 else { return }
    state.looks |= 1 << UInt16(queue)
    device.schedule(UInt64(queue), at: cycle)
  }

  func lookIsDue(_ queue: Int) {
    // One from before a reset.
    guard state.looks & 1 << UInt16(queue) != 0 else { return }
    state.looks &= ~(1 << UInt16(queue))
    if isUsable(queue) { device.look(queue) }
  }

  private func isUsable(_ queue: Int) -> Bool { isRunning && state.queues.indices.contains(queue) && state.queues[queue].isEnabled }

  /// Takes the next chain of a queue; nil: there is none, or the queue cannot be used. A queue that is found empty asks for
  /// a notification, unless the device stays awake: then it is looked at again.
  func take(_ queue: Int) -> VirtqueueChain? {
    guard isUsable(queue) else { return nil }
    return attempt { () throws(VirtqueueFault) in
      let allowsIndirect = negotiated & VirtioFeature.indirectDescriptors != 0
      if let chain = try state.queues[queue].take(function, number: queue, allowsIndirect: allowsIndirect) {
        statistics.requests += 1
        state.queues[queue].awakeUntil = device.now &+ device.patience
        return chain
      }
      let isAwake = device.now < state.queues[queue].awakeUntil
      try state.queues[queue].setNotifications(!isAwake, function, eventIndex: usesEventIndex)
      if isAwake {
        statistics.cyclesAwake += VirtioDevice.lookTime
        scheduleLook(queue, at: device.now &+ VirtioDevice.lookTime)
      }
      return nil
    }
  }

  /// Whether a queue has something; does not take it.
  func hasAvailable(_ queue: Int) -> Bool {
    guard isUsable(queue) else { return false }
    return attempt { () throws(VirtqueueFault) in try state.queues[queue].hasAvailable(function) ? () : nil } != nil
  }

  /// The device will look by itself: the driver need not say anything until a queue is found empty.
  func silence(_ queue: Int) {
    guard isUsable(queue) else { return }
    _ = attempt { () throws(VirtqueueFault) in
      try state.queues[queue].setNotifications(false, function, eventIndex: usesEventIndex)
    }
  }

  /// Gives a chain back.
  func giveBack(_ chain: VirtqueueChain, written: Int) {
    guard isUsable(chain.queue) else { return }
    _ = attempt { () throws(VirtqueueFault) in try state.queues[chain.queue].give(back: chain, written: written, function) }
  }

  /// Interrupts the driver for what has been given back, if it wants that.
  func interrupt(_ queue: Int) {
    guard isUsable(queue) else { return }
    let wants = attempt { () throws(VirtqueueFault) in
      try state.queues[queue].wantsInterrupt(function, eventIndex: usesEventIndex)
    }
    if wants == true { raise(VirtioISR.queue) }
  }

  /// One request, finished.
  func finish(_ chain: VirtqueueChain, written: Int) {
    giveBack(chain, written: written)
    interrupt(chain.queue)
  }

  /// Does what may meet a driver's mistake; nil: it has.
  func attempt<T>(_ body: () throws(VirtqueueFault) -> T?) -> T? {
    do throws(VirtqueueFault) { return try body() } catch {
      fail(error)
      return nil
    }
  }

  /// The device cannot go on (section 2.1.2): a modern driver is told, a legacy one finds out.
  func fail(_ fault: VirtqueueFault) {
    guard state.fault == nil else { return }
    state.fault = fault
    statistics.faults += 1
    guard isModernDriver else { return }
    state.status |= VirtioStatus.needsReset
    if state.status & VirtioStatus.driverOK != 0 { raise(VirtioISR.configuration) }
  }

  // MARK: Interrupts

  private func raise(_ bit: UInt8) {
    if state.isr & bit == 0 { statistics.interrupts += 1 }
    state.isr |= bit
    function.setInterrupt(true)
  }

  /// Reading acknowledges.
  func takeISR() -> UInt8 {
    defer { state.isr = 0 }
    function.setInterrupt(false)
    return state.isr
  }

  /// The configuration space reads otherwise than before.
  func configurationChanged() {
    state.generation &+= 1
    statistics.configurationChanges += 1
    if state.status & VirtioStatus.driverOK != 0 { raise(VirtioISR.configuration) }
  }

  // MARK: PCIDeviceModel

  public func read(bar: Int, offset: UInt64, size: Int) -> UInt64 {
    bar == VirtioStructure.bar ? readStructure(Int(offset), size) : readLegacy(Int(offset), size)
  }

  public func write(bar: Int, offset: UInt64, size: Int, value: UInt64) {
    if bar == VirtioStructure.bar {
      writeStructure(Int(offset), size, value)
    } else {
      writeLegacy(Int(offset), size, value)
    }
  }

  public func configurationWritten(_ register: Int, size: Int) {
    let data = VirtioStructure.windowData
    if register < data + 4 && register + size > data { accessWindow(writes: true) }
  }

  public func configurationWillBeRead(_ register: Int, size: Int) {
    let data = VirtioStructure.windowData
    if register < data + 4 && register + size > data { accessWindow(writes: false) }
  }

  /// For statistics: the transport's and the device's own.
  public var counters: [String: UInt64] {
    let own = [
      "notifications": statistics.notifications, "interrupts": statistics.interrupts, "requests": statistics.requests,
      "faults": statistics.faults, "configuration_changes": statistics.configurationChanges,
      "cycles_awake": statistics.cyclesAwake,
    ]
    return own.merging(device.counters) { first, _ in first }
  }
}

extension UInt32 {
  fileprivate var roundedUpToPowerOfTwo: UInt32 { self <= 1 ? 1 : 1 << UInt32(32 - (self - 1).leadingZeroBitCount) }
}
