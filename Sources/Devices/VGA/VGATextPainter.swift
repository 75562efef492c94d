import HostResources

/// Paints text modes: characters and attributes of planes 0 and 1 in the shapes of plane 2. Only cells that are different from those
/// painted last are painted.
struct VGATextPainter {
  /// What a cell looks like, all that matters of it.
  private struct Cell: Equatable {
    var character: UInt8 = 0
    var attribute: UInt8 = 0
    var hasCursor = false
  }

  struct Layout: Equatable {
    var columns: Int
    var rows: Int
    var cellWidth: Int
    var cellHeight: Int

    init(_ r: VGARegisters) {
      typealias C = VGARegisters.Controller
      columns = Int(r.controller[C.displayEnd]) + 1
      cellWidth = r.sequencer[VGARegisters.Sequencer.clockingMode] & 1 != 0 ? 8 : 9
      cellHeight = Int(r.controller[C.maximumScanLine] & 0x1F) + 1
      let overflow = Int(r.controller[C.overflow])
      let lines = Int(r.controller[C.verticalDisplayEnd]) | (overflow & 2) << 7 | (overflow & 0x40) << 3
      rows = max(1, (lines + 1) / cellHeight)
    }
  }

  private var cells: [Cell] = []
  private var layout: Layout?
  /// Registers that change the look of every cell.
  private var look: [UInt8] = []
  private static let fontStart = 2

  /// Everything is painted the next time.
  mutating func forget() { layout = nil }

  mutating func paint(
    _ r: VGARegisters, _ memory: VGAMemory, into buffer: PixelBuffer, layout new: Layout, changed: (FrameRectangle) -> Void
  ) {
    let newLook = r.palette + r.attributes + [r.pixelMask, r.sequencer[VGARegisters.Sequencer.characterMap]]
    if new != layout || newLook != look || fontHasChanged(memory) {
      cells = [Cell](repeating: Cell(), count: new.columns * new.rows)
      (layout, look) = (new, newLook)
      rememberFont(memory)
      paintAll(r, memory, into: buffer, new)
      changed(FrameRectangle(x: 0, y: 0, width: buffer.width, height: buffer.height))
      return
    }
    for row in 0..<new.rows {
      var span: Range<Int>?
      for column in 0..<new.columns {
        let cell = cell(row, column, r, memory)
        guard cells[row * new.columns + column] != cell else { continue }
        cells[row * new.columns + column] = cell
        paint(cell, row, column, r, memory, into: buffer, new)
        span = (span?.lowerBound ?? column)..<column + 1
      }
      if let span {
        changed(
          FrameRectangle(
            x: span.lowerBound * new.cellWidth, y: row * new.cellHeight, width: span.count * new.cellWidth, height: new.cellHeight))
      }
    }
  }

  private mutating func paintAll(_ r: VGARegisters, _ memory: VGAMemory, into buffer: PixelBuffer, _ layout: Layout) {
    for row in 0..<layout.rows {
      for column in 0..<layout.columns {
        let cell = cell(row, column, r, memory)
        cells[row * layout.columns + column] = cell
        paint(cell, row, column, r, memory, into: buffer, layout)
      }
    }
  }

  // MARK: Cells

  private func cell(_ row: Int, _ column: Int, _ r: VGARegisters, _ memory: VGAMemory) -> Cell {
    typealias C = VGARegisters.Controller
    func word(_ high: Int, _ low: Int) -> Int { Int(r.controller[high]) << 8 | Int(r.controller[low]) }
    let address = (word(C.startHigh, C.startLow) + row * Int(r.controller[C.offset]) * 2 + column) & 0xFFFF
    let isShown = r.controller[C.cursorStart] & 0x20 == 0 && word(C.cursorHigh, C.cursorLow) == address
    return Cell(character: memory.bytes[4 * address], attribute: memory.bytes[4 * address + 1], hasCursor: isShown)
  }

  private func paint(
    _ cell: Cell, _ row: Int, _ column: Int, _ r: VGARegisters, _ memory: VGAMemory, into buffer: PixelBuffer, _ layout: Layout
  ) {
    let mode = r.attributes[VGARegisters.Attribute.mode]
    // Bit 7 is brightness of the background, or blinking, which is not shown.
    let background = r.color(attribute: Int(cell.attribute >> 4) & (mode & 8 != 0 ? 7 : 15))
    let foreground = r.color(attribute: Int(cell.attribute & 0xF))
    let font = Self.font(bright: cell.attribute & 8 != 0, r)
    // Characters of lines go on into the ninth column.
    let isJoined = mode & 4 != 0 && 0xC0...0xDF ~= cell.character
    let start = Int(r.controller[VGARegisters.Controller.cursorStart] & 0x1F)
    let end = Int(r.controller[VGARegisters.Controller.cursorEnd] & 0x1F)
    for line in 0..<layout.cellHeight {
      var bits = Int(memory.bytes[4 * (font + 32 * Int(cell.character) + line) + Self.fontStart]) << 1
      if isJoined { bits |= bits >> 1 & 1 }
      if cell.hasCursor, start <= end, start...end ~= line { bits = 0x1FF }
      let target = buffer.pixels + (row * layout.cellHeight + line) * buffer.width + column * layout.cellWidth
      for x in 0..<layout.cellWidth { target[x] = bits >> (8 - x) & 1 != 0 ? foreground : background }
    }
  }

  // MARK: Shapes

  /// Where in plane 2 the shapes are; bit 3 of the attribute chooses one of two tables.
  private static func font(bright: Bool, _ r: VGARegisters) -> Int {
    let map = Int(r.sequencer[VGARegisters.Sequencer.characterMap])
    let number = bright ? map >> 5 & 1 | map >> 1 & 6 : map >> 4 & 1 | map << 1 & 6
    // Tables 0 to 3 are 16 KiB apart; 4 to 7, with bit 0 of the number, lie between them.
    return number * 0x2000
  }

  private var shapes: [UInt8] = []
  private func fontHasChanged(_ memory: VGAMemory) -> Bool {
    guard shapes.count == VGAMemory.planeSize else { return true }
    return shapes.withUnsafeBufferPointer { old in
      for n in 0..<VGAMemory.planeSize where old[n] != memory.bytes[4 * n + Self.fontStart] { return true }
      return false
    }
  }
  private mutating func rememberFont(_ memory: VGAMemory) {
    shapes = (0..<VGAMemory.planeSize).map { memory.bytes[4 * $0 + Self.fontStart] }
  }
}
