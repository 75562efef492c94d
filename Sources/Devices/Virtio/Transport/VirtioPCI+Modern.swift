import Platform

/// Where the structures of the modern interface are (section 4.1.4): in one memory range, each on a page of its own.
enum VirtioStructure {
  static let bar = 4
  static let barSize: UInt64 = 0x4000
  static let common = 0x0000
  static let isr = 0x1000
  static let device = 0x2000
  static let notify = 0x3000
  /// Between the notification addresses of two queues.
  static let notifyMultiplier = 4
  static let commonSize = 56

  /// Capabilities in configuration space, and their types (section 4.1.4).
  private static let capability: UInt8 = 0x09
  private static let commonCapability = 0x40
  private static let notifyCapability = 0x50
  private static let isrCapability = 0x64
  private static let deviceCapability = 0x74
  private static let windowCapability = 0x84
  /// pci_cfg_data of the last one.
  static let windowData = windowCapability + 16
  static let windowBar = windowCapability + 4
  static let windowOffset = windowCapability + 8
  static let windowLength = windowCapability + 12

  static func addCapabilities(to c: inout PCIConfiguration, deviceSize: Int) {
    // Each goes to the head of the list: the common configuration comes first in the end.
    func add(_ at: Int, type: UInt8, offset: Int, length: Int, size: Int = 16) {
      c.addCapability(capability, at: at)
      c.set(at + 2, UInt8(size))
      c.set(at + 3, type)
      c.set(at + 4, UInt8(type == 5 ? 0 : bar))
      c.set(at + 8, UInt32(offset))
      c.set(at + 12, UInt32(length))
    }
    add(windowCapability, type: 5, offset: 0, length: 0, size: 20)
    c.allow(windowBar, UInt8.max)
    c.allow(windowOffset, UInt32.max)
    c.allow(windowLength, UInt32.max)
    c.allow(windowData, UInt32.max)
    if deviceSize > 0 { add(deviceCapability, type: 4, offset: device, length: deviceSize) }
    add(isrCapability, type: 3, offset: isr, length: 1)
    add(notifyCapability, type: 2, offset: notify, length: 0x1000, size: 20)
    c.set(notifyCapability + 16, UInt32(notifyMultiplier))
    add(commonCapability, type: 1, offset: common, length: commonSize)
  }
}

/// Fields of the common configuration structure (section 4.1.4.3).
enum CommonField {
  static let deviceFeatureSelect = 0
  static let driverFeatureSelect = 8
  static let driverFeature = 12
  static let deviceStatus = 20
  static let queueSelect = 22
  static let queueSize = 24
  static let queueEnable = 28
  static let queueDescriptors = 32
  static let queueDriver = 40
  static let queueDevice = 48
}

extension VirtioPCI {
  private typealias S = VirtioStructure
  private typealias F = CommonField

  /// "No vector": there is no MSI-X.
  private static let noVector: UInt16 = 0xFFFF

  private var selected: Int? {
    state.queues.indices.contains(Int(state.queueSelect)) ? Int(state.queueSelect) : nil
  }

  func readStructure(_ offset: Int, _ size: Int) -> UInt64 {
    switch offset {
    case ..<S.isr: common.integer(offset, size)
    case S.isr: UInt64(takeISR())
    case ..<S.device: 0
    case ..<S.notify: device.configuration.integer(offset - S.device, size)
    default: 0
    }
  }

  private var common: [UInt8] {
    func half(_ features: UInt64, _ select: UInt32) -> UInt32 {
      select < 2 ? UInt32(truncatingIfNeeded: features >> UInt64(32 * select)) : 0
    }
    let queue = selected.map { state.queues[$0] }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(S.commonSize)
    bytes.append(little: state.deviceFeatureSelect)
    bytes.append(little: half(offered(legacy: false), state.deviceFeatureSelect))
    bytes.append(little: state.driverFeatureSelect)
    bytes.append(little: half(state.driverFeatures, state.driverFeatureSelect))
    bytes.append(little: Self.noVector)
    bytes.append(little: UInt16(state.queues.count))
    bytes.append(state.status)
    bytes.append(state.generation)
    bytes.append(little: state.queueSelect)
    bytes.append(little: queue?.size ?? 0)
    bytes.append(little: Self.noVector)
    bytes.append(little: UInt16(queue?.isEnabled == true ? 1 : 0))
    bytes.append(little: queue == nil ? 0 : state.queueSelect)
    bytes.append(little: queue?.descriptorArea ?? 0)
    bytes.append(little: queue?.driverArea ?? 0)
    bytes.append(little: queue?.deviceArea ?? 0)
    return bytes
  }

  func writeStructure(_ offset: Int, _ size: Int, _ value: UInt64) {
    switch offset {
    case ..<S.isr: writeCommon(offset, size, value)
    case ..<S.device: break
    case ..<S.notify:
      device.configurationWritten(offset - S.device, (0..<size).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) })
    default:
      // The address says which queue.
      let place = offset - S.notify
      if place % S.notifyMultiplier == 0 { notify(place / S.notifyMultiplier) }
    }
  }

  private func writeCommon(_ offset: Int, _ size: Int, _ value: UInt64) {
    let value32 = UInt32(truncatingIfNeeded: value)
    let value16 = UInt16(truncatingIfNeeded: value)
    switch (offset, size) {
    case (F.deviceFeatureSelect, 4): state.deviceFeatureSelect = value32
    case (F.driverFeatureSelect, 4): state.driverFeatureSelect = value32
    case (F.driverFeature, 4):
      // They are settled once FEATURES_OK is set (section 3.1.1).
      guard state.status & VirtioStatus.featuresOK == 0, state.driverFeatureSelect < 2 else { return }
      let shift = UInt64(32 * state.driverFeatureSelect)
      state.driverFeatures = state.driverFeatures & ~(0xFFFF_FFFF << shift) | UInt64(value32) << shift
    case (F.deviceStatus, 1): setStatus(UInt8(truncatingIfNeeded: value), legacy: false)
    case (F.queueSelect, 2): state.queueSelect = value16
    case (F.queueSize, 2):
      // Only powers of two, and no more than there was (section 4.1.4.3.2).
      changeQueue { if value16.nonzeroBitCount == 1 && value16 <= $0.maximumSize { $0.size = value16 } }
    case (F.queueEnable, 2): if value16 == 1 { changeQueue { $0.isEnabled = true } }
    case (F.queueDescriptors, 8): changeQueue { $0.descriptorArea = value }
    case (F.queueDriver, 8): changeQueue { $0.driverArea = value }
    case (F.queueDevice, 8): changeQueue { $0.deviceArea = value }
    case (F.queueDescriptors, 4), (F.queueDescriptors + 4, 4): changeHalf(\.descriptorArea, offset, value)
    case (F.queueDriver, 4), (F.queueDriver + 4, 4): changeHalf(\.driverArea, offset, value)
    case (F.queueDevice, 4), (F.queueDevice + 4, 4): changeHalf(\.deviceArea, offset, value)
    default: break
    }
  }

  /// A queue that is enabled does not change before the next reset.
  private func changeQueue(_ body: (inout Virtqueue) -> Void) {
    guard let selected, !state.queues[selected].isEnabled else { return }
    body(&state.queues[selected])
  }

  private func changeHalf(_ field: WritableKeyPath<Virtqueue, UInt64>, _ offset: Int, _ value: UInt64) {
    let shift = UInt64(offset % 8 * 8)
    changeQueue { $0[keyPath: field] = $0[keyPath: field] & ~(0xFFFF_FFFF << shift) | (value & 0xFFFF_FFFF) << shift }
  }

  // MARK: The window in configuration space (section 4.1.4.9)

  /// For firmware that cannot reach memory: the structures through configuration space.
  func accessWindow(writes: Bool) {
    let offset = function.configuration.value(S.windowOffset, as: UInt32.self)
    let length = function.configuration.value(S.windowLength, as: UInt32.self)
    let bar = Int(function.configuration.bytes[S.windowBar])
    guard bar == S.bar, [1, 2, 4].contains(length), offset % length == 0, UInt64(offset) + UInt64(length) <= S.barSize else {
      return
    }
    if writes {
      let value = UInt64(function.configuration.value(S.windowData, as: UInt32.self))
      writeStructure(Int(offset), Int(length), value & UInt64.max >> UInt64(64 - 8 * length))
    } else {
      function.configuration.set(S.windowData, UInt32(truncatingIfNeeded: readStructure(Int(offset), Int(length))))
    }
  }
}
