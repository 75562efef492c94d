import Platform
import Processor

/// vcpu_op (hypercall 24), `xen/include/public/vcpu.h`.
extension Hypercalls {
  private enum Command: UInt64 {
    case initialise, up, down, isUp, runstateInfo, registerRunstateArea, setPeriodicTimer, stopPeriodicTimer, setSingleShotTimer,
      stopSingleShotTimer
    case physicalIdentifier = 12
  }

  func processorOperation(_ command: UInt64, _ number: UInt64, _ handle: GuestHandle, _ caller: Int) throws(XenError) -> Outcome {
    guard number < 64 else { throw .invalid }
    guard number < UInt64(domain.virtualProcessorCount) else { throw .noEntry }
    guard let command = Command(rawValue: command) else { throw .notImplemented }
    let index = Int(number)
    switch command {
    case .initialise, .up, .down, .isUp:
      // HVM processors are started by their firmware.
      guard let processor = domain.virtualProcessors[index] as? ParavirtualProcessor else { throw .notImplemented }
      return try life(command, processor, handle, caller)
    case .runstateInfo:
      try write(handle, runstate(index))
      return .result(0)
    case .registerRunstateArea:
      let area = GuestHandle(value: try read(handle, count: 8).field(0))
      try write(area, runstate(index))
      return .result(0)
    case .setPeriodicTimer:
      let period: UInt64 = try read(handle, count: 8).field(0)
      guard period != 0 else { throw .invalid }
      try timers.setPeriod(index, nanoseconds: period)
    case .stopPeriodicTimer: try timers.setPeriod(index, nanoseconds: 0)
    case .setSingleShotTimer:
      let bytes = try read(handle, count: 16)
      let (time, flags): (UInt64, UInt32) = (bytes.field(0), bytes.field(8))
      // -ETIME, which no other call returns.
      if flags & 1 != 0 && time < timers.now { return .result(UInt64(bitPattern: -62)) }
      timers.setSingle(index, at: time)
    case .stopSingleShotTimer: timers.stopSingle(index)
    case .physicalIdentifier:
      // Virtual processors are not bound to physical ones that a guest could name.
      throw .invalid
    }
    return .result(0)
  }

  private func life(
    _ command: Command, _ processor: ParavirtualProcessor, _ handle: GuestHandle, _ caller: Int
  ) throws(XenError) -> Outcome {
    switch command {
    case .initialise:
      guard !processor.isInitialised else { throw .exists }
      processor.initialise(VirtualProcessorContext(try read(handle, count: VirtualProcessorContext.size)))
    case .up:
      guard processor.isInitialised else { throw .invalid }
      processor.goUp()
    case .down:
      processor.goDown()
      if processor.index == caller { return .stop }
    default: return .result(processor.isUp ? 1 : 0)
    }
    return .result(0)
  }

  /// vcpu_runstate_info: state, when it was entered, and nanoseconds in each of the four.
  private func runstate(_ index: Int) -> [UInt8] {
    let virtual = domain.virtualProcessors[index]
    let state = virtual.processor.state
    let now = timers.now
    let waited = Cycles.nanoseconds(state.pointee.idleCycles)
    let isDown = (virtual as? ParavirtualProcessor)?.isUp == false
    var bytes = [UInt8](repeating: 0, count: 0x30)
    bytes.setField(0, (isDown ? 3 : state.pointee.halted ? 2 : 0) as Int32)
    bytes.setField(8, now)
    bytes.setField(0x10, now - min(now, waited))
    bytes.setField(0x20, waited)
    return bytes
  }
}

/// vcpu_guest_context of Xen 4 as far as a processor starts with it (`xen/include/public/arch-ia64.h`).
struct VirtualProcessorContext {
  static let size = 0x56C0

  var general: [UInt64]
  var branches: [UInt64]
  var ip: UInt64
  var psr: UInt64
  var application: [UInt64]
  var regions: [UInt64]
  var iva: UInt64
  var eventCallback: UInt64

  init(_ bytes: [UInt8]) {
    func words(_ offset: Int, _ count: Int) -> [UInt64] { (0..<count).map { bytes.field(offset + 8 * $0) } }
    general = words(0x10, 32)
    branches = words(0x110, 8)
    ip = bytes.field(0x1D0)
    psr = bytes.field(0x1D8)
    application = words(0x1F8, 128)
    iva = bytes.field(0x5F8 + 8 * CR.iva)
    regions = words(0x1280, 8)
    eventCallback = bytes.field(0x56B0)
  }
}
