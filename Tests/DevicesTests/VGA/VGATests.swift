import Devices
import HostResources
import Platform
import Testing

/// Registers, planes and pictures, as the PS/2 reference and the Bochs VBE API have them.
@Suite struct VGATests {
  final class Clock: VirtualClock { var now: UInt64 = 0 }
  let clock = Clock()
  let vga: VGA
  let machine: Machine
  let root: PCIRoot
  init() throws {
    machine = try Machine(MachineConfiguration(memorySize: 64 << 20, hasVideo: true))
    root = try PCIRoot(memory: PhysicalDMA(memory: machine.memory), bus: machine.bus, interrupts: machine.ioSAPIC)
    vga = VGA(clock: clock)
    try vga.attach(to: root, bus: machine.bus, device: 31)
    try root.assignResources()
  }

  private func outb(_ port: UInt64, _ value: UInt8) { out(port, 1, UInt64(value)) }
  private func out(_ port: UInt64, _ size: Int, _ value: UInt64) {
    machine.bus.write(physical: Self.port(port), size: size, value: value)
  }
  private func inb(_ port: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: machine.bus.read(physical: Self.port(port), size: 1)) }
  private static func port(_ port: UInt64) -> UInt64 { MemoryMap.portSpace + ((port >> 2) << 12 | port & 0xFFF) }
  private func set(_ index: UInt64, _ register: UInt8, _ value: UInt8) { out(index, 2, UInt64(value) << 8 | UInt64(register)) }
  private func vbe(_ index: UInt16, _ value: UInt16) {
    out(0x1CE, 2, UInt64(index))
    out(0x1D0, 2, UInt64(value))
  }
  private func vbe(_ index: UInt16) -> UInt64 {
    out(0x1CE, 2, UInt64(index))
    return machine.bus.read(physical: Self.port(0x1D0), size: 2)
  }
  private func poke(_ address: UInt64, _ size: Int, _ value: UInt64) {
    machine.bus.write(physical: address, size: size, value: value)
  }
  private func peek(_ address: UInt64, _ size: Int) -> UInt64 { machine.bus.read(physical: address, size: size) }
  private func pixel(_ x: Int, _ y: Int) -> UInt32 { vga.pixels.load(fromByteOffset: y * vga.stride + 4 * x, as: UInt32.self) }
  private var frameBuffer: UInt64 {
    UInt64(root.readConfiguration(bus: 0, device: 31, function: 0, register: 0x10, size: 4) & ~0xF)
  }

  @Test func isFound() {
    #expect(root.readConfiguration(bus: 0, device: 31, function: 0, register: 0, size: 4) == 0x1111_1234)
    #expect(root.readConfiguration(bus: 0, device: 31, function: 0, register: 8, size: 4) >> 8 == 0x03_0000)
    // RAM gives way.
    #expect(!machine.memory.isRAM(0xA_0000, count: 1) && machine.memory.isRAM(0x9_FFFF, count: 1))
    #expect(machine.memory.isRAM(0xC_0000, count: 1) && !machine.memory.isRAM(0xB_FFFF, count: 1))
  }

  /// A character's shape, its colours, and the ninth column.
  @Test func text() {
    vga.refresh()
    #expect(vga.width == 720 && vga.height == 400)
    // White on blue at row 1, column 2: attribute 1F.
    poke(0xB8000 + 160 + 4, 2, 0x1F41)
    vga.refresh()
    // The shape of A in the public domain font 8x13.
    let shape: [UInt8] = [0, 0, 0, 0, 0x18, 0x24, 0x42, 0x42, 0x42, 0x7E, 0x42, 0x42, 0x42, 0, 0, 0]
    for y in 0..<16 {
      for x in 0..<9 {
        let isSet = x < 8 && shape[y] >> UInt8(7 - x) & 1 != 0
        let expected: UInt32 = isSet ? 0xFFFFFF : 0x0000AA
        #expect(pixel(18 + x, 16 + y) == expected, "\(x), \(y)")
      }
    }
    // A horizontal line (C4) goes on into the ninth column; what lies beside it is black.
    poke(0xB8000, 2, 0x0EC4)
    vga.refresh()
    let line = (0..<10).map { pixel($0, 8) }
    #expect(line == [UInt32](repeating: 0xFFFF55, count: 9) + [0])
    #expect(peek(0xB8000, 2) == 0x0EC4)
  }

  /// The sixteen colours of the PC.
  @Test func colors() {
    let colors: [UInt32] = [
      0x000000, 0x0000AA, 0x00AA00, 0x00AAAA, 0xAA0000, 0xAA00AA, 0xAA5500, 0xAAAAAA, 0x555555, 0x5555FF, 0x55FF55, 0x55FFFF,
      0xFF5555,
      0xFF55FF, 0xFFFF55, 0xFFFFFF,
    ]
    // The full block in each colour.
    for color in 0..<16 { poke(0xB8000 + UInt64(2 * color), 2, UInt64(color << 8 | 0xDB)) }
    vga.refresh()
    for color in 0..<16 { #expect(pixel(9 * color + 4, 8) == colors[color], "\(color)") }
  }

  @Test func onlyWhatChanges() {
    vga.refresh()
    var parts: [FrameRectangle] = []
    vga.changed = { parts.append($0) }
    vga.refresh()
    #expect(parts.isEmpty)
    poke(0xB8000 + 160 * 24 + 158, 1, 0x42)
    poke(0xB8000 + 160 * 3 + 20, 1, 0x42)
    vga.refresh()
    #expect(
      parts == [FrameRectangle(x: 90, y: 48, width: 9, height: 16), FrameRectangle(x: 711, y: 384, width: 9, height: 16)])
    // Scrolling by the start address changes everything that is not blank, and takes the cursor out of sight.
    parts = []
    set(0x3D4, 0x0D, 80)
    vga.refresh()
    #expect(parts.map(\.y) == [0, 32, 48, 368, 384])
  }

  @Test func cursor() {
    // At cell 81, scan lines 13 and 14, in the cell's own colour.
    set(0x3D4, 0x0A, 13)
    set(0x3D4, 0x0B, 14)
    set(0x3D4, 0x0E, 0)
    set(0x3D4, 0x0F, 81)
    vga.refresh()
    let seen = [12, 13, 14, 15].map { pixel(9, 16 + $0) }
    #expect(seen == [0, 0xAAAAAA, 0xAAAAAA, 0])
    set(0x3D4, 0x0A, 0x20 | 13)
    vga.refresh()
    #expect(pixel(9, 29) == 0)
  }

  /// As a driver uploads a shape: plane 2, addresses in sequence, at A0000.
  @Test func fontUpload() {
    set(0x3C4, 2, 4)
    set(0x3C4, 4, 7)
    set(0x3CE, 4, 2)
    set(0x3CE, 5, 0)
    set(0x3CE, 6, 0)
    for line in 0..<16 { poke(0xA0000 + 0x42 * 32 + UInt64(line), 1, line == 5 ? 0x81 : 0) }
    #expect(peek(0xA0000 + 0x42 * 32 + 5, 1) == 0x81)
    set(0x3C4, 2, 3)
    set(0x3C4, 4, 2)
    set(0x3CE, 4, 0)
    set(0x3CE, 5, 0x10)
    set(0x3CE, 6, 0x0E)
    poke(0xB8000, 2, 0x0742)
    vga.refresh()
    let line = (0..<9).map { pixel($0, 5) }
    #expect(line == [0xAAAAAA, 0, 0, 0, 0, 0, 0, 0xAAAAAA, 0])
    #expect(pixel(0, 4) == 0)
  }

  /// Write modes of the graphics controller, with a pattern in the latches.
  @Test func planes() {
    set(0x3C4, 4, 6)
    set(0x3CE, 5, 0)
    set(0x3CE, 6, 5)
    for plane in 0..<4 {
      set(0x3C4, 2, UInt8(1 << plane))
      poke(0xA0000, 1, [0x0F, 0x33, 0x55, 0xF0][plane])
    }
    func planes(_ address: UInt64) -> [UInt64] {
      (0..<4).map { plane in
        set(0x3CE, 4, UInt8(plane))
        return peek(address, 1)
      }
    }
    #expect(planes(0xA0000) == [0x0F, 0x33, 0x55, 0xF0])
    set(0x3C4, 2, 0xF)
    // Mode 1 copies the latches.
    set(0x3CE, 5, 1)
    poke(0xA0010, 1, 0)
    set(0x3CE, 5, 0)
    #expect(planes(0xA0010) == [0x0F, 0x33, 0x55, 0xF0])
    // Mode 2: colour 5 where the bit mask says so, the latches elsewhere.
    _ = peek(0xA0010, 1)
    set(0x3CE, 5, 2)
    set(0x3CE, 8, 0xF0)
    poke(0xA0020, 1, 5)
    set(0x3CE, 5, 0)
    #expect(planes(0xA0020) == [0xFF, 0x03, 0xF5, 0x00])
    // Mode 0: rotated by four, exclusive or.
    set(0x3CE, 8, 0xFF)
    _ = peek(0xA0010, 1)
    set(0x3CE, 3, 0x18 | 4)
    poke(0xA0030, 1, 0xA5)
    set(0x3CE, 3, 0)
    #expect(planes(0xA0030) == [0x55, 0x69, 0x0F, 0xAA])
    // Read mode 1: bits whose colour is 9 (planes 0 and 3).
    set(0x3CE, 2, 9)
    set(0x3CE, 7, 0xF)
    set(0x3CE, 5, 8)
    #expect(peek(0xA0010, 1) == 0)
    set(0x3CE, 7, 1)
    #expect(peek(0xA0010, 1) == 0x0F)
  }

  @Test func palette() {
    outb(0x3C8, 1)
    for value in [63, 32, 1] as [UInt8] { outb(0x3C9, value) }
    outb(0x3C7, 1)
    #expect([inb(0x3C9), inb(0x3C9), inb(0x3C9)] == [63, 32, 1])
    poke(0xB8000, 2, 0x01DB)
    vga.refresh()
    // Six bits become eight by repeating the upper ones.
    #expect(pixel(0, 0) == 0xFF8204)
  }

  /// Index or data, by the flip-flop that reading 3DA resets; the screen is off while the palette is the processor's.
  @Test func attributes() {
    _ = inb(0x3DA)
    outb(0x3C0, 7)
    outb(0x3C0, 4)
    vga.refresh()
    #expect(pixel(0, 0) == 0)
    poke(0xB8000, 2, 0x07DB)
    outb(0x3C0, 0x20)
    vga.refresh()
    #expect(pixel(0, 0) == 0xAA0000)
    #expect(inb(0x3C0) == 0x20)
  }

  @Test func retrace() {
    clock.now = Cycles.perSecond / 60 * 7 + 5
    #expect(inb(0x3DA) & 9 == 9)
    clock.now += Cycles.perSecond / 120
    #expect(inb(0x3DA) & 9 == 0)
  }

  @Test func linear() {
    #expect(vbe(0) == 0xB0C5 && vbe(10) == 256)
    vbe(1, 640)
    vbe(2, 480)
    vbe(3, 32)
    vbe(4, 0x41)
    #expect(vbe(1) == 640 && vbe(2) == 480 && vbe(6) == 640)
    poke(frameBuffer + 4 * (640 * 10 + 20), 4, 0x00AB_CDEF)
    vga.refresh()
    #expect(vga.width == 640 && vga.height == 480 && pixel(20, 10) == 0xABCDEF && pixel(0, 0) == 0)
    var parts: [FrameRectangle] = []
    vga.changed = { parts.append($0) }
    vga.refresh()
    #expect(parts.isEmpty)
    poke(frameBuffer + 4 * (640 * 479 + 639), 4, 0x0000_00FF)
    vga.refresh()
    // Pages of 4 KiB: a line and a half.
    #expect(parts.count == 1 && parts[0].y + parts[0].height == 480 && parts[0].height <= 3 && pixel(639, 479) == 0xFF)
    // Two pictures in memory: the second one is shown.
    poke(frameBuffer + 4 * 640 * 480, 4, 0x0012_3456)
    vbe(9, 480)
    vga.refresh()
    #expect(pixel(0, 0) == 0x123456)
    vbe(4, 0)
    vga.refresh()
    #expect(vga.width == 720)
  }

  @Test(arguments: [
    (8, 0x02, 0x00AA00), (15, 0x7C1F, 0xFF00FF), (16, 0x07E0, 0x00FF00), (16, 0x0821, 0x080408), (24, 0x12_3456, 0x12_3456),
  ]) func depths(_ depth: Int, _ value: Int, _ color: Int) {
    vbe(1, 320)
    vbe(2, 200)
    vbe(3, UInt16(depth))
    vbe(4, 0x41)
    let size = (depth + 7) / 8
    for n in 0..<size { poke(frameBuffer + UInt64(5 * size + n), 1, UInt64(value >> (8 * n) & 0xFF)) }
    vga.refresh()
    #expect(pixel(5, 0) == UInt32(color))
  }

  /// What does not fit is not taken, and nothing that a guest writes leads out of the memory.
  @Test func limits() {
    vbe(4, 2)
    #expect(vbe(1) == 2560 && vbe(2) == 1600 && vbe(3) == 32)
    vbe(4, 0)
    vbe(1, 2560)
    vbe(2, 1600)
    vbe(3, 32)
    vbe(4, 0x41)
    vbe(9, 200)
    #expect(vbe(9) == 0)
    vbe(6, 60000)
    #expect(vbe(6) == 2560)
    vga.refresh()
    var state: UInt64 = 20_261_130
    for _ in 0..<20_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let (value, what) = (UInt8(truncatingIfNeeded: state >> 40), state >> 33)
      switch what % 5 {
      case 0: outb(0x3C0 + what / 5 % 32, value)
      case 1: vbe(UInt16(what / 5 % 12), UInt16(truncatingIfNeeded: state >> 44))
      case 2: poke(0xA0000 + what / 5 % 0x20000, 1, UInt64(value))
      case 3: _ = peek(0xA0000 + what / 5 % 0x20000, 1)
      default: if what % 500 == 4 { vga.refresh() }
      }
    }
    vga.refresh()
    vga.reset()
    vga.refresh()
    #expect(vga.width == 720 && pixel(0, 0) == 0)
  }
}
