import IA64
import Processor

/// EXP: which syllables go together. The dispersal network looks at two bundles and takes as many syllables from the front as there
/// are ports for, up to a stop; the rest waits and becomes the front of the next window.
///
/// All of that depends on the instructions alone, so it is done once, when a block is translated.
struct Dispersal {
  let description: MachineDescription

  /// One syllable of what is planned.
  struct Syllable {
    var instruction: Instruction
    var kind: InstructionClass
    /// Position, and how many it covers (2 for the X of MLX, whose L comes with it).
    var position: Int
    var slots: Int
    var bundle: Int
    var template: TemplateShape
    var stop: Bool
    var isLastOfBundle: Bool
  }

  /// What matters of a template: its units, without stops.
  enum TemplateShape { case mii, mlx, mmi, mfi, mmf, mib, mbb, bbb, mmb, mfb, reserved }

  struct Group {
    var syllables: [Syllable] = []
    var split = SplitCause.end
  }

  // MARK: Reading bundles

  static func syllables(_ bundles: UnsafeRawPointer, startSlot: Int, end: Int) -> [Syllable] {
    var list: [Syllable] = []
    var position = startSlot
    while position < end {
      let index = position / 3
      let bundle = Bundle(
        low: bundles.loadUnaligned(fromByteOffset: index * 16, as: UInt64.self),
        high: bundles.loadUnaligned(fromByteOffset: index * 16 + 8, as: UInt64.self))
      let shape = TemplateShape(bundle)
      var slot = position % 3
      while slot < 3 && index * 3 + slot < end {
        let width = bundle.isLong && slot == 1 ? 2 : 1
        let instruction = Decoder.decode(bundle: bundle, slot: slot)
        let last = slot + width - 1
        list.append(
          Syllable(
            instruction: instruction, kind: InstructionClass(instruction), position: index * 3 + slot, slots: width, bundle: index,
            template: shape, stop: bundle.template.hasStop(after: last), isLastOfBundle: last == 2))
        slot += width
      }
      position = index * 3 + 3
    }
    return list
  }

  // MARK: Splitting

  func groups(_ syllables: [Syllable]) -> [Group] {
    var list: [Group] = []
    var window = Window(description: description.dispersal)
    var group = Group()
    func flush(_ cause: SplitCause) {
      guard !group.syllables.isEmpty else { return }
      group.split = cause
      list.append(group)
      group = Group()
      window = Window(description: description.dispersal)
    }
    for s in syllables {
      if s.kind.beginsGroup { flush(.implicit) }
      if !group.syllables.isEmpty {
        if let cause = window.refuses(s) { flush(cause) }
      }
      // The first syllable of a window fits whatever it is.
      if !window.place(s) {
        flush(.ports)
        _ = window.place(s)
      }
      group.syllables.append(s)
      if s.stop {
        flush(.stop)
      } else if s.kind.endsGroup {
        flush(.implicit)
      } else if window.endsBehind(s) {
        flush(.rule)
      }
    }
    flush(.end)
    return list
  }

  /// The window of one cycle.
  private struct Window {
    let description: MachineDescription.Dispersal
    private var first: Syllable?
    private var bundles = 0
    private var lastBundle = -1
    /// Port needs of what goes to M ports so far.
    private var memory: [PortSet] = []
    private var references = 0
    private var integers = 0
    private var used: PortSet = []

    init(description: MachineDescription.Dispersal) { self.description = description }

    /// A rule that keeps a syllable of a new bundle out.
    func refuses(_ s: Syllable) -> SplitCause? {
      guard s.bundle != lastBundle, let first else { return nil }
      if bundles == 2 { return .rule }
      // MLX behind MII; BBB behind a bundle that ends in one branch.
      if s.template == .mlx && first.template == .mii { return .rule }
      if s.template == .bbb && first.template.endsInOneBranch { return .rule }
      return nil
    }

    /// Finds a port; false if there is none.
    mutating func place(_ s: Syllable) -> Bool {
      if s.bundle != lastBundle {
        if first == nil { first = s }
        bundles += 1
        lastBundle = s.bundle
      }
      switch s.instruction.unit {
      case .m: return placeMemory(s.kind)
      case .i, .l, .x: return placeInteger(s.kind)
      case .f: return placeFloat(s.kind)
      case .b: return placeBranch(s)
      }
    }

    private mutating func placeMemory(_ kind: InstructionClass) -> Bool {
      let touches = kind.isMemoryReference
      if touches && references == description.memoryOperationsPerCycle { return false }
      guard Self.fit(memory + [kind.memoryPorts]) else { return false }
      memory.append(kind.memoryPorts)
      if touches { references += 1 }
      return true
    }

    /// The first I syllable goes to I0 and the second to I1, whatever they are; more of them need an M port.
    private mutating func placeInteger(_ kind: InstructionClass) -> Bool {
      if integers < 2 {
        let port: PortSet = integers == 0 ? .i0 : .i1
        guard !kind.integerPorts(description).isDisjoint(with: port) else { return false }
        integers += 1
        return true
      }
      guard kind.fitsMemoryPort, Self.fit(memory + [.anyM]) else { return false }
      memory.append(.anyM)
      integers += 1
      return true
    }

    /// F of the window's first bundle goes to F0, that of the second to F1. Parallel FP needs both.
    private mutating func placeFloat(_ kind: InstructionClass) -> Bool {
      let both: PortSet = [.f0, .f1]
      if kind == .floatParallel {
        guard used.isDisjoint(with: both) else { return false }
        used.formUnion(both)
        return true
      }
      let port: PortSet = bundles == 1 ? .f0 : .f1
      guard used.isDisjoint(with: port) else { return false }
      used.insert(port)
      return true
    }

    private mutating func placeBranch(_ s: Syllable) -> Bool {
      let port: PortSet
      switch s.template {
      case .mbb, .bbb: port = [.b0, .b1, .b2][s.position % 3]
      default: port = s.kind == .nopB ? .b0 : .b2
      }
      guard used.isDisjoint(with: port) else { return false }
      used.insert(port)
      return true
    }

    /// Whether each of the needs can have a port of its own.
    private static func fit(_ needs: [PortSet]) -> Bool {
      func place(_ index: Int, _ taken: PortSet) -> Bool {
        if index == needs.count { return true }
        for port in needs[index].subtracting(taken).each where place(index + 1, taken.union(port)) { return true }
        return false
      }
      return needs.count <= 4 && place(0, [])
    }

    /// A rule that ends the group behind a syllable.
    func endsBehind(_ s: Syllable) -> Bool {
      guard s.isLastOfBundle else { return false }
      if s.template == .mbb || s.template == .bbb { return true }
      return bundles == 1 && s.template.endsInOneBranch && s.kind != .nopB
    }
  }
}

extension InstructionClass {
  var isMemoryReference: Bool {
    switch self {
    case .load, .checkLoad, .floatLoad, .floatLoadPair, .floatCheckLoad, .prefetch, .store, .floatStore, .semaphore: true
    default: false
    }
  }
}

extension Dispersal.TemplateShape {
  var endsInOneBranch: Bool { self == .mib || self == .mmb || self == .mfb }

  init(_ bundle: Bundle) {
    self =
      switch bundle.templateNumber >> 1 {
      case 0, 1: .mii
      case 2: .mlx
      case 4, 5: .mmi
      case 6: .mfi
      case 7: .mmf
      case 8: .mib
      case 9: .mbb
      case 0xB: .bbb
      case 0xC: .mmb
      case 0xE: .mfb
      default: .reserved
      }
  }
}
