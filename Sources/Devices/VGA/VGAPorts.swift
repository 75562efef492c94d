/// The ports 3C0 to 3DF.
extension VGARegisters {
  /// `port`: from 3C0 on. `retrace`: the beam is on its way back.
  mutating func read(_ port: Int, retrace: Bool) -> UInt8 {
    switch port {
    case 0x0: attributeIndex
    case 0x1: attributes[Int(attributeIndex & 0x1F)]
    // Input status 0: a monitor is there, and no interrupt.
    case 0x2: 0x10
    case 0x4: sequencerIndex
    case 0x5: sequencer[Int(sequencerIndex & 7)]
    case 0x6: pixelMask
    case 0x7: paletteReads ? 3 : 0
    case 0x8: UInt8(truncatingIfNeeded: paletteWriteIndex)
    case 0x9: readPalette()
    case 0xA: featureControl
    case 0xC: miscellaneous
    case 0xE: graphicsIndex
    case 0xF: graphics[Int(graphicsIndex & 0xF)]
    case 0x14: controllerIndex
    case 0x15: controller[Int(controllerIndex & 0x1F)]
    case 0x1A: readStatus(retrace)
    default: 0xFF
    }
  }

  /// Input status 1; reading it makes the attribute port expect an index.
  private mutating func readStatus(_ retrace: Bool) -> UInt8 {
    attributeExpectsData = false
    return retrace ? 0x09 : 0x00
  }

  private mutating func readPalette() -> UInt8 {
    let value = palette[3 * paletteReadIndex + paletteComponent]
    paletteComponent += 1
    if paletteComponent == 3 {
      paletteComponent = 0
      paletteReadIndex = (paletteReadIndex + 1) & 0xFF
    }
    return value
  }

  mutating func write(_ port: Int, _ value: UInt8) {
    switch port {
    case 0x0: writeAttribute(value)
    case 0x2: miscellaneous = value
    case 0x4: sequencerIndex = value & 7
    case 0x5: sequencer[Int(sequencerIndex & 7)] = value
    case 0x6: pixelMask = value
    case 0x7:
      (paletteReadIndex, paletteComponent, paletteReads) = (Int(value), 0, true)
    case 0x8:
      (paletteWriteIndex, paletteComponent, paletteReads) = (Int(value), 0, false)
    case 0x9:
      palette[3 * paletteWriteIndex + paletteComponent] = extensions.hasWidePalette ? value : value & 0x3F
      paletteComponent += 1
      if paletteComponent == 3 {
        paletteComponent = 0
        paletteWriteIndex = (paletteWriteIndex + 1) & 0xFF
      }
    case 0xE: graphicsIndex = value & 0xF
    case 0xF: graphics[Int(graphicsIndex & 0xF)] = value
    case 0x14: controllerIndex = value & 0x1F
    case 0x15: writeController(value)
    case 0x1A: featureControl = value
    default: break
    }
  }

  private mutating func writeAttribute(_ value: UInt8) {
    defer { attributeExpectsData.toggle() }
    guard attributeExpectsData else {
      attributeIndex = value & 0x3F
      return
    }
    let index = Int(attributeIndex & 0x1F)
    // The palette is the processor's only while it is not the screen's.
    if index >= 0x10 || attributeIndex & 0x20 == 0 { attributes[index] = value }
  }

  private mutating func writeController(_ value: UInt8) {
    let index = Int(controllerIndex)
    // Bit 7 of the vertical retrace end protects registers 0 to 7, but for the line compare bit in the overflow register.
    if index <= Controller.overflow, controller[Controller.verticalRetraceEnd] & 0x80 != 0 {
      if index == Controller.overflow { controller[index] = controller[index] & ~0x10 | value & 0x10 }
      return
    }
    controller[index] = value
  }
}
