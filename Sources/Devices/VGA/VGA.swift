import HostResources
import Platform

/// A VGA with text modes and, through the extensions of the Bochs emulator, linear ones of up to 2560 by 1600 pixels. On the bus it is
/// 1234:1111, the adapter that Xen's device model has with `stdvga=1`.
///
/// It comes up in mode 3 with characters of code page 437, as a video BIOS would leave it: systems of this architecture do not run one.
/// The legacy modes with pixels are not shown.
public final class VGA: PCIDeviceModel, FrameBufferSource {
  public private(set) var registers = VGARegisters()
  let memory = VGAMemory()
  private let clock: any VirtualClock
  public private(set) var function: PCIFunction! = nil

  private var buffer = PixelBuffer(width: 720, height: 400)
  private var text = VGATextPainter()
  private var linear = VGALinearPainter()
  private var wasBlank = false
  public var changed: ((FrameRectangle) -> Void)?

  /// The ports of a colour adapter.
  public static let ports = 0x3C0..<0x3E0 as Range<UInt64>
  /// Index and data of the extensions. Data is at 1CF; as that is at an odd address it is also at 1D0.
  public static let extensionPorts = 0x1CE..<0x1D2 as Range<UInt64>
  private enum BaseAddress {
    static let frameBuffer = 0
    static let registers = 2
  }
  private static let registerSize: UInt32 = 4096

  public init(clock: any VirtualClock) {
    self.clock = clock
    function = PCIFunction(
      PCIIdentity(
        vendor: 0x1234, device: 0x1111, revision: 2, classCode: 0x030000, subsystemVendor: 0x1AF4, subsystem: 0x1100),
      baseAddresses: [
        BaseAddress.frameBuffer: .memory32(size: UInt32(VGAMemory.size), prefetchable: true),
        BaseAddress.registers: .memory32(size: Self.registerSize),
      ])
    enterTextMode()
  }

  /// Plugs it in, with its legacy addresses.
  public func attach(to root: PCIRoot, bus: SystemBus, device: UInt8) throws {
    try bus.memoryMapped.map(
      "VGA memory", MemoryMap.videoMemory,
      Part(reading: { [unowned self] in readWindow($0, $1) }, writing: { [unowned self] in writeWindow($0, $1, $2) }))
    try bus.ports.map(
      "VGA", Self.ports,
      Part(reading: { [unowned self] in readPorts($0, $1) }, writing: { [unowned self] in writePorts($0, $1, $2) }))
    try bus.ports.map(
      "VGA extensions", Self.extensionPorts,
      Part(
        reading: { [unowned self] offset, _ in readExtensionPort(offset) },
        writing: { [unowned self] offset, _, value in writeExtensionPort(offset, value) }))
    try root.attach(function, model: self, device: device)
  }

  /// As a video BIOS leaves it; memory is clear.
  private func enterTextMode() {
    registers.enterTextMode()
    for (n, byte) in PackageResources.cp437_8x16_font.enumerated() {
      memory.setPlanes(32 * (n / 16) + n % 16, UInt32(byte) << 16, mask: 0b0100)
    }
    // Blanks, grey on black.
    for address in 0..<80 * 25 { memory.setPlanes(address, 0x0720, mask: 0b0011) }
    text.forget()
    linear.forget()
  }

  // MARK: Registers

  public func reset() {
    memory.clear()
    enterTextMode()
  }

  public func read(bar: Int, offset: UInt64, size: Int) -> UInt64 {
    guard bar == BaseAddress.registers else { return memory.read(Int(offset), size: size) }
    return switch offset {
    case 0x400..<0x420: readPorts(offset - 0x400, size)
    case 0x500..<0x516 where size == 2:
      UInt64(registers.extensions.read(UInt16(offset - 0x500) / 2, memory: VGAMemory.size))
    default: 0
    }
  }

  public func write(bar: Int, offset: UInt64, size: Int, value: UInt64) {
    guard bar == BaseAddress.registers else { return memory.write(Int(offset), size: size, value) }
    switch offset {
    case 0x400..<0x420: writePorts(offset - 0x400, size, value)
    case 0x500..<0x516 where size == 2: writeExtension(UInt16(offset - 0x500) / 2, UInt16(truncatingIfNeeded: value))
    default: break
    }
  }

  /// Sixty pictures a second, with a twentieth of the time for the way back.
  private var isRetracing: Bool {
    let picture = Cycles.perSecond / 60
    return clock.now % picture < picture / 20
  }

  private func readPorts(_ offset: UInt64, _ size: Int) -> UInt64 {
    (0..<size).reduce(0) { $0 | UInt64(registers.read(Int(offset) + $1, retrace: isRetracing)) << UInt64(8 * $1) }
  }

  private func writePorts(_ offset: UInt64, _ size: Int, _ value: UInt64) {
    for n in 0..<size { registers.write(Int(offset) + n, UInt8(truncatingIfNeeded: value >> UInt64(8 * n))) }
  }

  private func readWindow(_ offset: UInt64, _ size: Int) -> UInt64 {
    (0..<size).reduce(0) { $0 | UInt64(VGAWindow.read(Int(offset) + $1, &registers, memory)) << UInt64(8 * $1) }
  }

  private func writeWindow(_ offset: UInt64, _ size: Int, _ value: UInt64) {
    for n in 0..<size { VGAWindow.write(Int(offset) + n, UInt8(truncatingIfNeeded: value >> UInt64(8 * n)), &registers, memory) }
  }

  private func readExtensionPort(_ offset: UInt64) -> UInt64 {
    offset == 0
      ? UInt64(registers.extensionIndex) : UInt64(registers.extensions.read(registers.extensionIndex, memory: VGAMemory.size))
  }

  private func writeExtensionPort(_ offset: UInt64, _ value: UInt64) {
    let value = UInt16(truncatingIfNeeded: value)
    if offset == 0 { registers.extensionIndex = value } else { writeExtension(registers.extensionIndex, value) }
  }

  private func writeExtension(_ index: UInt16, _ value: UInt16) {
    if registers.extensions.write(index, value, memory: VGAMemory.size) { memory.clear() }
  }

  // MARK: The picture

  public var width: Int { buffer.width }
  public var height: Int { buffer.height }
  public var stride: Int { 4 * buffer.width }
  public var pixels: UnsafeMutableRawPointer { UnsafeMutableRawPointer(buffer.pixels) }

  public func refresh() {
    let e = registers.extensions
    if e.isEnabled {
      resize(Int(e.width), Int(e.height))
      text.forget()
      linear.paint(registers, memory, into: buffer) { changed?($0) }
      wasBlank = false
      return
    }
    linear.forget()
    guard registers.isText, !registers.isBlank else { return blank() }
    wasBlank = false
    let layout = VGATextPainter.Layout(registers)
    resize(layout.columns * layout.cellWidth, layout.rows * layout.cellHeight)
    text.paint(registers, memory, into: buffer, layout: layout) { changed?($0) }
  }

  private func blank() {
    guard !wasBlank else { return }
    wasBlank = true
    text.forget()
    buffer.fill(0)
    changed?(FrameRectangle(x: 0, y: 0, width: width, height: height))
  }

  private func resize(_ width: Int, _ height: Int) {
    guard buffer.width != width || buffer.height != height else { return }
    buffer = PixelBuffer(width: width, height: height)
    text.forget()
    linear.forget()
  }

  // MARK: Addresses of the bus

  /// A range of addresses of its own. The bus keeps it.
  private final class Part: BusDevice {
    private let reading: (UInt64, Int) -> UInt64
    private let writing: (UInt64, Int, UInt64) -> Void
    init(reading: @escaping (UInt64, Int) -> UInt64, writing: @escaping (UInt64, Int, UInt64) -> Void) {
      (self.reading, self.writing) = (reading, writing)
    }
    func read(offset: UInt64, size: Int) -> UInt64 { reading(offset, size) }
    func write(offset: UInt64, size: Int, value: UInt64) { writing(offset, size, value) }
  }
}
