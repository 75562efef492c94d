import IA64

/// The eleven issue ports, and which of them a syllable fits.
struct PortSet: OptionSet, Equatable, Sendable {
  let rawValue: UInt16
  static let m0 = PortSet(rawValue: 1)
  static let m1 = PortSet(rawValue: 2)
  static let m2 = PortSet(rawValue: 4)
  static let m3 = PortSet(rawValue: 8)
  static let i0 = PortSet(rawValue: 16)
  static let i1 = PortSet(rawValue: 32)
  static let f0 = PortSet(rawValue: 64)
  static let f1 = PortSet(rawValue: 128)
  static let b0 = PortSet(rawValue: 256)
  static let b1 = PortSet(rawValue: 512)
  static let b2 = PortSet(rawValue: 1024)

  static let anyM: PortSet = [.m0, .m1, .m2, .m3]
  static let loads: PortSet = [.m0, .m1]
  static let stores: PortSet = [.m2, .m3]
  static let anyI: PortSet = [.i0, .i1]

  /// The ports one by one, lowest first.
  var each: [PortSet] { (0..<11).map { PortSet(rawValue: 1 << $0) }.filter { contains($0) } }
}

extension InstructionClass {
  /// Ports of a syllable in an M slot.
  var memoryPorts: PortSet {
    switch self {
    case .load, .checkLoad, .floatLoadPair, .floatCheckLoad, .prefetch, .checkSpeculationM, .checkAdvanced, .invalidateALAT: .loads
    case .floatLoad: .anyM
    case .store, .floatStore, .semaphore, .setf: .stores
    case .fence, .acceptanceFence, .serializeData, .serializeInstruction, .flushStack, .loadStack: .m0
    case .getf, .alloc, .fromApplication, .toApplication, .fromControl, .toControl, .fromStatus, .toStatus, .systemMask, .userMask,
      .fromIndirect, .toIndirect, .probe, .hash, .insert, .purgeLocal, .purgeGlobal, .flushLine:
      .m2
    default: .anyM
    }
  }

  /// True if a syllable in an I slot may go to an M port when both I ports are taken.
  var fitsMemoryPort: Bool { self == .alu || self == .compare || self == .multimediaALU }

  /// Ports of a syllable in an I slot (or of the X part of an MLX bundle).
  func integerPorts(_ d: MachineDescription.Dispersal) -> PortSet {
    switch self {
    case .shift: d.shifterOnI1 ? .anyI : .i0
    case .popcnt: d.popcntOnI1 ? .anyI : .i0
    case .bitTest, .multimediaMultiply, .fromPredicates, .toPredicates, .fromBranch, .toBranch, .fromLoop, .toLoop, .fromIP: .i0
    default: .anyI
    }
  }
}
