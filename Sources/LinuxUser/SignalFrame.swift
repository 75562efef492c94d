import Arithmetic
import Processor

/// Offsets of the frame that a signal handler finds on its stack: `struct sigframe` and the `struct sigcontext` in it.
enum SignalFrame {
  static let size: UInt64 = context + 2656
  static let argument0: UInt64 = 0
  static let argument1: UInt64 = 8
  static let argument2: UInt64 = 16
  static let handler: UInt64 = 24
  static let info: UInt64 = 32
  static let context: UInt64 = 160
}

/// `struct sigcontext`: an image of the registers.
struct SignalContext {
  static let size = 2656
  enum Flag {
    static let onStack: UInt64 = 1
    static let highFloatsValid: UInt64 = 4
  }
  private enum Offset {
    static let flags = 0, nat = 8, stack = 16, ip = 40, cfm = 48, userMask = 56, rsc = 64, bsp = 72, rnat = 80, ccv = 88, unat = 96,
      fpsr = 104, pfs = 112, lc = 120, predicates = 128, branches = 136, general = 200, floats = 464, backingStoreBase = 2512,
      loadrs = 2520, csd = 2528, ssd = 2536, mask = 2640
  }
  private var bytes: [UInt8]

  init(bytes: [UInt8]) { self.bytes = Array((bytes + [UInt8](repeating: 0, count: Self.size)).prefix(Self.size)) }

  private subscript(_ offset: Int) -> UInt64 {
    get { bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self) } }
    set { bytes.withUnsafeMutableBytes { $0.storeBytes(of: newValue, toByteOffset: offset, as: UInt64.self) } }
  }

  var contents: [UInt8] { bytes }
  var flags: UInt64 { self[Offset.flags] }
  var ip: UInt64 { self[Offset.ip] }
  var cfm: UInt64 { self[Offset.cfm] & 0x3F_FFFF_FFFF }
  var userMask: UInt64 { self[Offset.userMask] & PSR.userMask }
  var bsp: UInt64 { self[Offset.bsp] & ~7 }
  var rnat: UInt64 { self[Offset.rnat] }
  var mask: UInt64 { self[Offset.mask] }
  var stack: AlternateStack {
    self[Offset.stack + 8] & UInt64(AlternateStack.disabled) != 0
      ? AlternateStack() : AlternateStack(base: self[Offset.stack], size: self[Offset.stack + 16])
  }

  /// The registers as they are behind the `cover` of the trampoline; IP and frame marker are those of before.
  init(
    _ processor: LogicalProcessor, ip: UInt64, cfm: UInt64, mask: UInt64, stack: AlternateStack, onStack: Bool,
    backingStoreBase: UInt64
  ) {
    let s = processor.state
    bytes = [UInt8](repeating: 0, count: Self.size)
    self[Offset.flags] = Flag.highFloatsValid | (onStack ? Flag.onStack : 0)
    self[Offset.nat] = s.pointee.natLow & 0xFFFF_FFFF
    self[Offset.stack] = stack.base
    self[Offset.stack + 8] = stack.size == 0 ? UInt64(AlternateStack.disabled) : onStack ? UInt64(AlternateStack.onStack) : 0
    self[Offset.stack + 16] = stack.size
    self[Offset.ip] = ip
    self[Offset.cfm] = cfm
    self[Offset.userMask] = s.pointee.psr & PSR.userMask
    self[Offset.rsc] = s.ar[AR.rsc]
    self[Offset.bsp] = s.pointee.bsp
    self[Offset.rnat] = s.pointee.rnat
    self[Offset.ccv] = s.ar[AR.ccv]
    self[Offset.unat] = s.ar[AR.unat]
    self[Offset.fpsr] = s.ar[AR.fpsr]
    self[Offset.pfs] = s.ar[AR.pfs] & ~(0x3F << 52) | s.ar[AR.ec] << 52
    self[Offset.lc] = s.ar[AR.lc]
    var predicates: UInt64 = 0
    for p in 0..<64 where s.pr[p] != 0 { predicates |= 1 << UInt64(p) }
    self[Offset.predicates] = predicates
    for b in 0..<8 { self[Offset.branches + 8 * b] = s.br[b] }
    for r in 1..<32 { self[Offset.general + 8 * r] = s.gr[r] }
    for f in 2..<128 {
      let (low, high) = FloatMemory.spill(s.f(UInt8(f)).value)
      self[Offset.floats + 16 * f] = low
      self[Offset.floats + 16 * f + 8] = high
    }
    self[Offset.backingStoreBase] = backingStoreBase
    self[Offset.csd] = s.ar[AR.csd]
    self[Offset.ssd] = s.ar[AR.ssd]
    self[Offset.mask] = mask
  }

  /// Puts back what `rt_sigreturn` restores: the scratch registers. The handler has kept the others itself.
  func restore(_ processor: LogicalProcessor) {
    let s = processor.state
    for r in [1, 2, 3] + Array(8..<32) {
      s.gr[r] = self[Offset.general + 8 * r]
      s.setNaT(UInt8(r), self[Offset.nat] >> UInt64(r) & 1 != 0)
    }
    for b in [0, 6, 7] { s.br[b] = self[Offset.branches + 8 * b] }
    for p in 1..<64 { s.pr[p] = UInt8(self[Offset.predicates] >> UInt64(p) & 1) }
    var floats = Array(6..<16)
    if flags & Flag.highFloatsValid != 0 { floats += 32..<128 }
    for f in floats {
      s.f(UInt8(f)).value = FloatMemory.fill(self[Offset.floats + 16 * f], self[Offset.floats + 16 * f + 8])
    }
    s.ar[AR.rsc] = self[Offset.rsc] & 0x3FFF_0013 | 3 << 2
    s.ar[AR.ccv] = self[Offset.ccv]
    s.ar[AR.unat] = self[Offset.unat]
    s.ar[AR.fpsr] = Self.validFPSR(self[Offset.fpsr])
    let pfs = self[Offset.pfs]
    s.ar[AR.ec] = pfs >> 52 & 0x3F
    s.ar[AR.pfs] = Self.isValidFrame(pfs & 0x3F_FFFF_FFFF) ? pfs & 0x03F0_003F_FFFF_FFFF | 3 << 62 : 3 << 62
    s.ar[AR.csd] = self[Offset.csd]
    s.ar[AR.ssd] = self[Offset.ssd]
  }

  /// What `mov ar.fpsr` would accept; the default for anything else.
  private static func validFPSR(_ value: UInt64) -> UInt64 {
    let reserved = value >> 58 != 0 || value & 1 << 12 != 0 || (0..<4).contains { value >> UInt64(8 + 13 * $0) & 3 == 1 }
    return reserved ? defaultFPSR : value
  }

  static let defaultFPSR: UInt64 = 0x9804C_0270033F

  /// Whether a frame marker can exist (Volume 1, section 3.1.7); the register stack engine relies on it.
  static func isValidFrame(_ cfm: UInt64) -> Bool {
    let sof = cfm & 0x7F
    let rotating = (cfm >> 14 & 0xF) * 8
    let rrb = cfm >> 18 & 0x7F
    return sof <= 96 && cfm >> 7 & 0x7F <= sof && rotating <= sof && (rrb == 0 || rrb < rotating) && cfm >> 25 & 0x7F < 96
      && cfm >> 32 & 0x3F < 48
  }
}
