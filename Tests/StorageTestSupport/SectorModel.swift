/// What each sector may have in it, by the rules of a disk with a write cache. A sector that was written is filled with the number of the
/// write and its own, in turns: what is in a place where it does not belong is noticed.
public struct SectorModel {
  /// What a read may find now, and after a crash of the host.
  private var now: [Set<UInt64>]
  private var durable: [Set<UInt64>]
  private var next: UInt64 = 1
  /// Sectors of writes that have failed since the last flush: what is read of them is not bound to outlast the process.
  private var uncertain: Set<Int> = []

  /// Nothing has been written: all sectors are zeros.
  public init(sectors: Int) {
    now = [Set<UInt64>](repeating: [0], count: sectors)
    durable = now
  }

  public var sectors: Int { now.count }

  /// Contents for a write to these sectors: others with each call.
  public mutating func data(_ range: Range<Int>) -> (value: UInt64, bytes: [UInt8]) {
    defer { next += 1 }
    var words: [UInt64] = []
    words.reserveCapacity(range.count * 64)
    for sector in range {
      for _ in 0..<32 {
        words.append(next.littleEndian)
        words.append(UInt64(sector).littleEndian)
      }
    }
    return (next, words.withUnsafeBytes { Array($0) })
  }

  /// A write has been answered. One that was refused, or has had no answer, may have been done in part.
  public mutating func written(_ range: Range<Int>, _ value: UInt64, acknowledged: Bool) {
    for sector in range {
      durable[sector].insert(value)
      if acknowledged {
        now[sector] = [value]
        uncertain.remove(sector)
      } else {
        now[sector].insert(value)
        uncertain.insert(sector)
      }
    }
  }
  /// A flush has been acknowledged.
  public mutating func flushed() {
    durable = now
    uncertain = []
  }
  /// The host has stopped, and lost what was not flushed.
  public mutating func crashed() { now = durable }
  /// The process has ended, and the volume has been opened again.
  public mutating func killed() {
    for sector in uncertain { now[sector].formUnion(durable[sector]) }
  }

  /// Whether these are allowed contents. What has been read once is what is there.
  public mutating func accepts(_ bytes: [UInt8], at first: Int) -> Bool { complaint(about: bytes, at: first) == nil }

  /// Why they are not.
  public mutating func complaint(about bytes: [UInt8], at first: Int) -> String? {
    for n in 0..<bytes.count / 512 {
      let words = bytes[n * 512..<(n + 1) * 512].withUnsafeBytes { $0.bindMemory(to: UInt64.self).map(UInt64.init(littleEndian:)) }
      let sector = first + n
      guard let value = words.first, now[sector].contains(value) else {
        return "sector \(sector) is of write \(words.first ?? 0), and may be of \(now[sector].sorted())"
      }
      let other = value == 0 ? 0 : UInt64(sector)
      guard words.indices.allSatisfy({ words[$0] == ($0 & 1 == 0 ? value : other) }) else {
        return "sector \(sector) is not as write \(value) wrote it"
      }
      now[sector] = [value]
    }
    return nil
  }
}
