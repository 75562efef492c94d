/// The legacy interface's registers (section 4.1.4.10), in ports. There is no MSI-X: the device's configuration follows at 20.
enum LegacyRegister {
  static let deviceFeatures = 0
  static let driverFeatures = 4
  static let queueAddress = 8
  static let queueSize = 12
  static let queueSelect = 14
  static let queueNotify = 16
  static let deviceStatus = 18
  static let isrStatus = 19
  static let configuration = 20
}

extension VirtioPCI {
  private typealias R = LegacyRegister

  private var selected: Int? {
    state.queues.indices.contains(Int(state.queueSelect)) ? Int(state.queueSelect) : nil
  }

  func readLegacy(_ offset: Int, _ size: Int) -> UInt64 {
    guard offset < R.configuration else {
      return device.configuration.integer(offset - R.configuration, size)
    }
    // The one register with a side effect; nobody reads it together with others.
    if offset == R.isrStatus { return UInt64(takeISR()) }
    var bytes: [UInt8] = []
    bytes.append(little: UInt32(truncatingIfNeeded: offered(legacy: true)))
    bytes.append(little: UInt32(truncatingIfNeeded: state.driverFeatures))
    bytes.append(little: selected.map { state.queues[$0].isEnabled ? state.queues[$0].legacyPage : 0 } ?? 0)
    bytes.append(little: selected.map { state.queues[$0].maximumSize } ?? 0)
    bytes.append(little: state.queueSelect)
    bytes.append(little: UInt16(0))
    bytes.append(state.status)
    return bytes.integer(offset, size)
  }

  func writeLegacy(_ offset: Int, _ size: Int, _ value: UInt64) {
    if offset >= R.configuration {
      return device.configurationWritten(
        offset - R.configuration, (0..<size).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) })
    }
    switch (offset, size) {
    case (R.driverFeatures, 4):
      // Nothing tells a legacy driver that it wants too much: it gets what there is.
      state.driverFeatures = value & offered(legacy: true) & 0xFFFF_FFFF
    case (R.queueAddress, 4):
      guard let selected else { return }
      if value == 0 {
        // Section 4.1.5.1.3.1: the queue is given up, and with it what it has come to.
        state.queues[selected] = Virtqueue(maximumSize: state.queues[selected].maximumSize)
      } else if !state.queues[selected].isEnabled {
        state.queues[selected].place(legacyPage: UInt32(truncatingIfNeeded: value))
      }
    case (R.queueSelect, 2): state.queueSelect = UInt16(truncatingIfNeeded: value)
    case (R.queueNotify, 2), (R.queueNotify, 4): notify(Int(value & 0xFFFF))
    case (R.deviceStatus, 1): setStatus(UInt8(truncatingIfNeeded: value), legacy: true)
    default: break
    }
  }
}

extension [UInt8] {
  /// `size` bytes from `offset` on; zeros where the array has ended.
  func integer(_ offset: Int, _ size: Int) -> UInt64 {
    (0..<size).reduce(UInt64(0)) {
      $0 | UInt64(offset + $1 < count ? self[offset + $1] : 0) << UInt64(8 * $1)
    }
  }
}
