/// shared_info: the page that the hypervisor shares with a domain (`xen/include/public/xen.h`; the offsets are the same in all generations
/// of Xen/ia64). Guests write to it at any time: what is read here is not trusted.
public struct SharedInfo {
  let page: UnsafeMutableRawPointer
  /// Of the machine: where the page is.
  public let machineFrame: UInt32

  /// `page`: ``FramePool/frameSize`` bytes.
  public init(page: UnsafeMutableRawPointer, machineFrame: UInt32) { (self.page, self.machineFrame) = (page, machineFrame) }

  /// Byte offsets.
  public enum Field {
    /// vcpu_info[64].
    public static let processorInfoSize = 0x30
    public static let upcallPending = 0x00
    public static let upcallMask = 0x01
    public static let pendingSelector = 0x08
    public static let timeVersion = 0x10
    public static let timeMultiplier = 0x28
    public static let timeShift = 0x2C
    public static let eventPending = 0xC00
    public static let eventMask = 0xE00
    public static let wallClockVersion = 0x1000
    public static let wallClockSeconds = 0x1004
    public static let wallClockNanoseconds = 0x1008
    public static let startInfoFrame = 0x1010
    public static let eventVector = 0x1018
    public static let memoryMapFrames = 0x101C
    public static let memoryMapFrame = 0x1020
  }
  public static let processors = 64
  public static let ports = 4096

  public func byte(_ offset: Int) -> UInt8 { page.load(fromByteOffset: offset, as: UInt8.self) }
  public func setByte(_ offset: Int, _ value: UInt8) { page.storeBytes(of: value, toByteOffset: offset, as: UInt8.self) }
  public func word(_ offset: Int) -> UInt64 { page.load(fromByteOffset: offset, as: UInt64.self) }
  public func setWord(_ offset: Int, _ value: UInt64) { page.storeBytes(of: value, toByteOffset: offset, as: UInt64.self) }
  public func setHalfWord(_ offset: Int, _ value: UInt32) { page.storeBytes(of: value, toByteOffset: offset, as: UInt32.self) }
  public func halfWord(_ offset: Int) -> UInt32 { page.load(fromByteOffset: offset, as: UInt32.self) }

  /// Where a processor's `evtchn_upcall_mask` is on the host.
  func upcallMask(_ processor: Int) -> UnsafeMutablePointer<UInt8> {
    (page + info(processor) + Field.upcallMask).assumingMemoryBound(to: UInt8.self)
  }

  // MARK: Upcalls

  private func info(_ processor: Int) -> Int { processor * Field.processorInfoSize }

  public func upcallPending(_ processor: Int) -> Bool { byte(info(processor) + Field.upcallPending) != 0 }
  public func setUpcallPending(_ processor: Int, _ pending: Bool) {
    setByte(info(processor) + Field.upcallPending, pending ? 1 : 0)
  }
  public func upcallMasked(_ processor: Int) -> Bool { byte(info(processor) + Field.upcallMask) != 0 }
  public func setUpcallMasked(_ processor: Int, _ masked: Bool) { setByte(info(processor) + Field.upcallMask, masked ? 1 : 0) }
  public func pendingSelector(_ processor: Int) -> UInt64 { word(info(processor) + Field.pendingSelector) }
  public func setPendingSelector(_ processor: Int, _ value: UInt64) {
    setWord(info(processor) + Field.pendingSelector, value)
  }

  /// How a processor's AR.ITC becomes nanoseconds since the domain's start: both are zero then.
  func setClock(_ processor: Int, multiplier: UInt32, shift: Int8) {
    setHalfWord(info(processor) + Field.timeVersion, 2)
    setHalfWord(info(processor) + Field.timeMultiplier, multiplier)
    setByte(info(processor) + Field.timeShift, UInt8(bitPattern: shift))
  }

  // MARK: Ports

  private func bit(_ field: Int, _ port: Int) -> Bool { word(field + (port >> 6) * 8) >> UInt64(port & 63) & 1 != 0 }
  private func setBit(_ field: Int, _ port: Int, _ value: Bool) {
    let offset = field + (port >> 6) * 8
    let mask = UInt64(1) << UInt64(port & 63)
    setWord(offset, value ? word(offset) | mask : word(offset) & ~mask)
  }

  public func isPending(_ port: Int) -> Bool { bit(Field.eventPending, port) }
  public func setPending(_ port: Int, _ value: Bool) { setBit(Field.eventPending, port, value) }
  public func isMasked(_ port: Int) -> Bool { bit(Field.eventMask, port) }
  public func setMasked(_ port: Int, _ value: Bool) { setBit(Field.eventMask, port, value) }
}
