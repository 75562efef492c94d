import Platform
import Processor

/// Who has called whom in a guest, found without tables of how functions save their registers.
///
/// The register stack holds the locals of all callers, and each frame says how large its caller's is. GCC saves the return address and
/// ar.pfs in two locals that follow each other: a pair that looks like these leads to the caller. What a frame without such a pair called
/// is found; what called it is not.
public struct GuestBacktrace {
  private let processor: LogicalProcessor
  private let memory: any GuestMemory
  private let symbols: SymbolTable?

  private static let limit = 32

  /// The guest of `processor` must be presented.
  public init(_ processor: LogicalProcessor, memory: any GuestMemory, symbols: SymbolTable?) {
    (self.processor, self.memory, self.symbols) = (processor, memory, symbols)
  }

  /// Addresses of the innermost instruction and of the calls that led to it.
  public var addresses: [UInt64] {
    let s = processor.state
    var frames = [s.pointee.ip]
    var locals = (0..<s.pointee.sof).map { s.gr[32 + $0] }
    // Registers between the current frame and the one that is looked at.
    var below = 0
    // A leaf function has saved nothing, nor has one that is about to begin: a call makes a frame without locals, and what lies in its
    // registers are arguments.
    var saved: (address: UInt64, frame: UInt64)? = (s.pointee.sol == 0 ? nil : pair(locals)) ?? (s.br[0], s.ar[AR.pfs])
    while let (address, frame) = saved, frames.count < Self.limit, isCode(address), isFrame(frame) {
      frames.append(address)
      let size = Int(frame >> 7 & 0x7F)
      below += size
      locals = (0..<size).compactMap { register(below - $0) }
      guard locals.count == size else { break }
      saved = pair(locals)
    }
    return frames
  }

  private func pair(_ locals: [UInt64]) -> (address: UInt64, frame: UInt64)? {
    for (first, second) in zip(locals, locals.dropFirst()) {
      if isCode(first) && isFrame(second) { return (first, second) }
      if isFrame(first) && isCode(second) { return (second, first) }
    }
    return nil
  }

  /// Returns go to bundles. Without symbols, whatever is near the current instruction may be code.
  private func isCode(_ value: UInt64) -> Bool {
    guard value & 0xF == 0, value != 0 else { return false }
    if let symbols { return symbols.symbol(of: value) != nil }
    return value &- processor.state.pointee.ip &+ 1 << 24 < 1 << 25
  }

  /// The layout of AR.PFS (Volume 1, section 3.1.8.10), for a function that does not rotate.
  private func isFrame(_ value: UInt64) -> Bool {
    let (sof, sol) = (value & 0x7F, value >> 7 & 0x7F)
    return 1...96 ~= sof && sol <= sof && value >> 14 & 0xFFFF_FFFF_FFFF & ~(0x3F << 38) & ~(0x3 << 48) == 0
  }

  /// The register so many registers below the current frame's first.
  private func register(_ distance: Int) -> UInt64? {
    if let register = processor.inspectedStacked(distance) { return register }
    // Every 64th word of the backing store holds NaT bits.
    var address = processor.state.pointee.bsp
    for _ in 0..<distance {
      address &-= 8
      if address & 0x1F8 == 0x1F8 { address &-= 8 }
    }
    // Kernels map region 7 one to one, and insert that when it is missed.
    let identity = address >> 61 == 7 ? (address << 3) >> 3 : nil
    guard let physical = processor.inspectedPhysical(address) ?? identity else { return nil }
    return memory.host(physical, count: 8)?.loadUnaligned(as: UInt64.self)
  }
}
