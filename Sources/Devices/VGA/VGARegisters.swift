/// Registers of a VGA (IBM PS/2 Video Subsystem technical reference), and of the Bochs extensions.
public struct VGARegisters: Sendable, Equatable, Codable {
  public static let version = 1

  var miscellaneous: UInt8 = 0
  var sequencerIndex: UInt8 = 0
  var sequencer = [UInt8](repeating: 0, count: 8)
  var graphicsIndex: UInt8 = 0
  var graphics = [UInt8](repeating: 0, count: 16)
  var controllerIndex: UInt8 = 0
  /// The CRT controller's.
  var controller = [UInt8](repeating: 0, count: 32)
  var attributeIndex: UInt8 = 0
  var attributes = [UInt8](repeating: 0, count: 32)
  /// The next write to the attribute port is data.
  var attributeExpectsData = false
  var featureControl: UInt8 = 0

  var paletteReadIndex = 0
  var paletteWriteIndex = 0
  /// Which of red, green and blue comes next.
  var paletteComponent = 0
  /// The last access was about reading.
  var paletteReads = false
  var pixelMask: UInt8 = 0xFF
  /// Red, green and blue of 256 entries, 6 bits each, or 8 if the extensions say so.
  var palette = [UInt8](repeating: 0, count: 768)
  /// What the last read has brought from the four planes.
  var latches: UInt32 = 0

  var extensionIndex: UInt16 = 0
  var extensions = VBERegisters()

  enum Sequencer {
    static let clockingMode = 1
    static let mapMask = 2
    static let characterMap = 3
    static let memoryMode = 4
  }
  enum Graphics {
    static let setReset = 0
    static let enableSetReset = 1
    static let colorCompare = 2
    static let rotate = 3
    static let readMap = 4
    static let mode = 5
    static let miscellaneous = 6
    static let colorDontCare = 7
    static let bitMask = 8
  }
  enum Controller {
    static let displayEnd = 0x01
    static let overflow = 0x07
    static let maximumScanLine = 0x09
    static let cursorStart = 0x0A
    static let cursorEnd = 0x0B
    static let startHigh = 0x0C
    static let startLow = 0x0D
    static let cursorHigh = 0x0E
    static let cursorLow = 0x0F
    static let verticalRetraceEnd = 0x11
    static let verticalDisplayEnd = 0x12
    static let offset = 0x13
  }
  enum Attribute {
    static let mode = 0x10
    static let overscan = 0x11
    static let planeEnable = 0x12
    static let colorSelect = 0x14
  }

  /// Mode 3, as a video BIOS leaves it: 80 columns, 25 rows, 16 colours, characters of 9 by 16 pixels (the PS/2 reference's tables of
  /// register values).
  mutating func enterTextMode() {
    self = VGARegisters()
    miscellaneous = 0x67
    sequencer.replaceSubrange(0..<5, with: [0x03, 0x00, 0x03, 0x00, 0x02])
    controller.replaceSubrange(
      0..<25,
      with: [
        0x5F, 0x4F, 0x50, 0x82, 0x55, 0x81, 0xBF, 0x1F, 0x00, 0x4F, 0x0D, 0x0E, 0x00, 0x00, 0x00, 0x00, 0x9C, 0x8E, 0x8F, 0x28,
        0x1F,
        0x96, 0xB9, 0xA3, 0xFF,
      ])
    graphics.replaceSubrange(0..<9, with: [0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0E, 0x0F, 0xFF])
    attributes.replaceSubrange(
      0..<21,
      with: [
        0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3A, 0x3B, 0x3C, 0x3D, 0x3E, 0x3F, 0x0C, 0x00, 0x0F, 0x08,
        0x00,
      ])
    // The palette's own enable bit: the screen is on.
    attributeIndex = 0x20
    // Two bits for each colour, as the EGA had them: the primary ones are two thirds, the secondary ones one third.
    for color in 0..<64 {
      for component in 0..<3 {
        let primary = color >> (2 - component) & 1
        let secondary = color >> (5 - component) & 1
        palette[3 * color + component] = UInt8(42 * primary + 21 * secondary)
      }
    }
  }

  /// Colours of a text cell or of a pixel with 16 colours: through the attribute controller to the palette.
  func color(attribute: Int) -> UInt32 {
    let value = Int(attributes[attribute & 0xF])
    let select = Int(attributes[Attribute.colorSelect])
    let low = attributes[Attribute.mode] & 0x80 != 0 ? value & 0x0F | (select & 3) << 4 : value & 0x3F
    return color(index: low | (select & 0xC) << 4)
  }

  /// Colours of a pixel with 256 of them.
  func color(index: Int) -> UInt32 {
    let entry = 3 * (index & Int(pixelMask))
    func component(_ n: Int) -> UInt32 {
      let value = UInt32(palette[entry + n])
      return extensions.hasWidePalette ? value : (value & 0x3F) << 2 | (value & 0x3F) >> 4
    }
    return component(0) << 16 | component(1) << 8 | component(2)
  }

  var isText: Bool {
    graphics[Graphics.miscellaneous] & 1 == 0 && attributes[Attribute.mode] & 1 == 0 && !extensions.isEnabled
  }
  var isBlank: Bool { attributeIndex & 0x20 == 0 || sequencer[Sequencer.clockingMode] & 0x20 != 0 }
}
