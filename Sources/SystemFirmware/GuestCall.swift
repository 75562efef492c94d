import Glibc
import Platform
import Processor

/// Why a handler cannot reach memory that its caller named.
enum GuestAccessFailure: Error, Equatable {
  /// A virtual address whose translation must be fetched first; the whole call then starts over.
  case needsTranslation(UInt64)
  /// Not in RAM.
  case outsideMemory
}

/// One call through a gate: the caller's registers, and its memory by the addresses it uses.
///
/// With PSR.dt = 0 pointers are physical (bit 63 only says "uncacheable"). With PSR.dt = 1 they are whatever the operating system has
/// mapped, so each page is translated by the processor itself: the handler fails with ``GuestAccessFailure/needsTranslation(_:)``,
/// a stub loads from the page (which takes the misses that any load would take) and executes `tpa`, and the call is repeated.
/// Handlers therefore reach all the memory they need before they change anything.
struct GuestCall {
  let processor: LogicalProcessor
  /// Index of the processor in the machine.
  let index: Int
  let memory: any GuestMemory
  /// Virtual page (4 KiB) to physical page, as far as this call has asked.
  let translations: [UInt64: UInt64]

  private var state: State { processor.state }

  /// in0...in7; zero beyond the frame that the caller passed.
  func argument(_ n: Int) -> UInt64 { n < state.pointee.sof ? state.gr[32 + n] : 0 }
  func arguments(_ numbers: ClosedRange<Int>) -> [UInt64] { numbers.map { argument($0) } }
  func register(_ n: Int) -> UInt64 { state.gr[n] }

  /// Sets a static result register.
  func set(_ n: UInt8, _ value: UInt64) {
    state.gr[Int(n)] = value
    state.setNaT(n, false)
  }

  // MARK: Memory

  static let pageMask: UInt64 = 0xFFF

  private func physical(_ pointer: UInt64) throws(GuestAccessFailure) -> UInt64 {
    if state.pointee.psr & PSR.dt == 0 { return pointer & ~(1 << 63) }
    guard let page = translations[pointer & ~Self.pageMask] else { throw .needsTranslation(pointer & ~Self.pageMask) }
    return page | pointer & Self.pageMask
  }

  /// Host addresses of `count` bytes, in as few pieces as they lie in.
  func pieces(_ pointer: UInt64, _ count: Int) throws(GuestAccessFailure) -> [UnsafeMutableRawBufferPointer] {
    try ranges(pointer, count).map { UnsafeMutableRawBufferPointer(start: $0.host, count: $0.count) }
  }

  /// Physical and host addresses of `count` bytes, in as few pieces as they lie in.
  private func ranges(
    _ pointer: UInt64, _ count: Int
  ) throws(GuestAccessFailure) -> [(physical: UInt64, host: UnsafeMutableRawPointer, count: Int)] {
    guard count > 0 else { return [] }
    var list: [(physical: UInt64, host: UnsafeMutableRawPointer, count: Int)] = []
    if state.pointee.psr & PSR.dt == 0 {
      let address = try physical(pointer)
      guard let pieces = memory.pieces(address, count: count) else { throw .outsideMemory }
      for piece in pieces {
        guard let host = piece.baseAddress else { throw .outsideMemory }
        let before = list.last.map { $0.physical + UInt64($0.count) } ?? address
        list.append((before, host, piece.count))
      }
      return list
    }
    var pointer = pointer
    var left = count
    while left > 0 {
      let inPage = min(left, Int(Self.pageMask + 1 - pointer & Self.pageMask))
      let address = try physical(pointer)
      guard let host = memory.host(address, count: inPage) else { throw .outsideMemory }
      if let last = list.last, last.physical &+ UInt64(last.count) == address, last.host + last.count == host {
        list[list.count - 1].count += inPage
      } else {
        list.append((address, host, inPage))
      }
      left -= inPage
      pointer &+= UInt64(inPage)
    }
    return list
  }

  /// Physical and host address of `count` bytes that lie in one piece; nil: they do not.
  func piece(_ pointer: UInt64, count: Int) throws(GuestAccessFailure) -> (physical: UInt64, host: UnsafeMutableRawPointer)? {
    let ranges = try ranges(pointer, count)
    guard let first = ranges.first, ranges.count == 1 else { return nil }
    return (first.physical, first.host)
  }

  /// Fails unless all the bytes can be reached.
  func check(_ pointer: UInt64, count: Int) throws(GuestAccessFailure) { _ = try pieces(pointer, count) }

  /// `count` is the handler's to bound.
  func read(_ pointer: UInt64, count: Int) throws(GuestAccessFailure) -> [UInt8] {
    var bytes: [UInt8] = []
    for piece in try pieces(pointer, count) { bytes.append(contentsOf: piece) }
    return bytes
  }

  func write(_ pointer: UInt64, _ bytes: [UInt8]) throws(GuestAccessFailure) {
    _ = try fill(pointer, count: bytes.count) { piece, done in
      bytes.withUnsafeBytes { piece.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[done..<done + piece.count])) }
    }
  }

  /// Lets `fill` store into all the pieces of a buffer; it is told how many bytes precede each. Every page has been translated before
  /// the first byte changes.
  func fill<E>(
    _ pointer: UInt64, count: Int, _ fill: (UnsafeMutableRawBufferPointer, _ done: Int) throws(E) -> Void
  ) throws(GuestAccessFailure) -> E? {
    var done = 0
    for range in try ranges(pointer, count) {
      memory.noteWrite(range.physical, count: range.count)
      do throws(E) { try fill(UnsafeMutableRawBufferPointer(start: range.host, count: range.count), done) } catch { return error }
      done += range.count
    }
    return nil
  }

  func fill(_ pointer: UInt64, count: Int, _ value: UInt8) throws(GuestAccessFailure) {
    _ = try fill(pointer, count: count) { (piece, _) in piece.initializeMemory(as: UInt8.self, repeating: value) }
  }

  /// Copies between two buffers that may overlap.
  func move(to destination: UInt64, from source: UInt64, count: Int) throws(GuestAccessFailure) {
    let (to, from) = (try ranges(destination, count), try ranges(source, count))
    if to.count == 1, from.count == 1 {
      memmove(to[0].host, from[0].host, count)
      memory.noteWrite(to[0].physical, count: count)
      return
    }
    // Scattered pages: piece by piece, from the end that is not overwritten before it has been read.
    let unit = Int(Self.pageMask + 1)
    let starts = stride(from: 0, to: count, by: unit)
    for start in destination &- source < UInt64(count) ? Array(starts.reversed()) : Array(starts) {
      let length = min(unit, count - start)
      try write(destination &+ UInt64(start), try read(source &+ UInt64(start), count: length))
    }
  }

  func load<T: FixedWidthInteger>(_ pointer: UInt64, as: T.Type = T.self) throws(GuestAccessFailure) -> T {
    let bytes = try read(pointer, count: MemoryLayout<T>.size)
    return bytes.reversed().reduce(T(0)) { $0 << 8 | T(truncatingIfNeeded: $1) }
  }

  func store<T: FixedWidthInteger>(_ pointer: UInt64, _ value: T) throws(GuestAccessFailure) {
    try write(pointer, withUnsafeBytes(of: value.littleEndian) { Array($0) })
  }
}
