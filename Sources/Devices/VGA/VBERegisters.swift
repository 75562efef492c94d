/// The extensions of the Bochs emulator's VGA (its VBE display API, version B0C5): resolution, depth, a linear frame buffer.
public struct VBERegisters: Sendable, Equatable, Codable {
  enum Index {
    static let identification: UInt16 = 0
    static let width: UInt16 = 1
    static let height: UInt16 = 2
    static let depth: UInt16 = 3
    static let enable: UInt16 = 4
    static let bank: UInt16 = 5
    static let virtualWidth: UInt16 = 6
    static let virtualHeight: UInt16 = 7
    static let offsetX: UInt16 = 8
    static let offsetY: UInt16 = 9
    static let memory: UInt16 = 10
  }
  private enum Enable {
    static let enabled: UInt16 = 0x01
    static let capabilities: UInt16 = 0x02
    static let widePalette: UInt16 = 0x20
    static let keepsMemory: UInt16 = 0x80
    static let all: UInt16 = 0xE3
  }

  static let largestWidth: UInt16 = 2560
  static let largestHeight: UInt16 = 1600
  private static let newest: UInt16 = 0xB0C5
  private static let oldest: UInt16 = 0xB0C0

  private var identification = newest
  private(set) var width: UInt16 = 0
  private(set) var height: UInt16 = 0
  /// Bits of a pixel.
  private(set) var depth: UInt16 = 0
  private var enable: UInt16 = 0
  /// 64 KiB of memory that the legacy window shows.
  private(set) var bank: UInt16 = 0
  private(set) var virtualWidth: UInt16 = 0
  private(set) var offsetX: UInt16 = 0
  private(set) var offsetY: UInt16 = 0

  var isEnabled: Bool { enable & Enable.enabled != 0 }
  var hasWidePalette: Bool { enable & Enable.widePalette != 0 }
  /// Bytes of a pixel.
  var pixelSize: Int { depth == 15 ? 2 : Int(depth) / 8 }
  /// Bytes of a line.
  var stride: Int { Int(virtualWidth) * pixelSize }
  /// The first pixel that is seen.
  var start: Int { Int(offsetY) * stride + Int(offsetX) * pixelSize }

  func read(_ index: UInt16, memory: Int) -> UInt16 {
    let asksForLimits = enable & Enable.capabilities != 0
    return switch index {
    case Index.identification: identification
    case Index.width: asksForLimits ? Self.largestWidth : width
    case Index.height: asksForLimits ? Self.largestHeight : height
    case Index.depth: asksForLimits ? 32 : depth
    case Index.enable: enable
    case Index.bank: bank
    case Index.virtualWidth: virtualWidth
    case Index.virtualHeight: stride == 0 ? 0 : UInt16(clamping: memory / stride)
    case Index.offsetX: offsetX
    case Index.offsetY: offsetY
    case Index.memory: UInt16(memory >> 16)
    default: 0
    }
  }

  /// True: memory is to be cleared. What does not fit into the memory is not taken.
  mutating func write(_ index: UInt16, _ value: UInt16, memory: Int) -> Bool {
    switch index {
    case Index.identification where Self.oldest...Self.newest ~= value: identification = value
    // Size and depth are changed while the extensions are off.
    case Index.width where !isEnabled && 8...Self.largestWidth ~= value: width = value & ~7
    case Index.height where !isEnabled && 1...Self.largestHeight ~= value: height = value
    case Index.depth where !isEnabled && [8, 15, 16, 24, 32].contains(value): depth = value
    case Index.enable: return setEnable(value, memory: memory)
    case Index.bank where Int(value) < memory >> 16: bank = value
    case Index.virtualWidth, Index.offsetX, Index.offsetY:
      var moved = self
      switch index {
      case Index.virtualWidth: moved.virtualWidth = value
      case Index.offsetX: moved.offsetX = value
      default: moved.offsetY = value
      }
      if moved.virtualWidth >= width, moved.fits(memory) { self = moved }
    default: break
    }
    return false
  }

  private func fits(_ memory: Int) -> Bool { start + max(0, Int(height) - 1) * stride + Int(width) * pixelSize <= memory }

  private mutating func setEnable(_ value: UInt16, memory: Int) -> Bool {
    let wasEnabled = isEnabled
    var next = self
    next.enable = value & Enable.all
    guard next.isEnabled, !wasEnabled else {
      enable = next.enable
      return false
    }
    (next.virtualWidth, next.offsetX, next.offsetY, next.bank) = (width, 0, 0, 0)
    guard width > 0, height > 0, depth > 0, next.fits(memory) else { return false }
    self = next
    return value & Enable.keepsMemory == 0
  }
}
