import Platform

/// How long things take, in guest time. A medium without mechanics on a cable of 1998.
enum IDETiming {
  /// From a command to its first data, or to its end.
  static let command = Cycles.from(nanoseconds: 50_000)
  /// Commands that touch no medium, and the pause between two blocks of a programmed transfer.
  static let register = Cycles.from(nanoseconds: 5_000)
  /// From the end of a reset to the signature.
  static let reset = Cycles.from(nanoseconds: 2_000_000)
  /// Ultra DMA mode 2, the fastest of the PIIX4: 33.3 MB/s.
  static let bytesPerSecond: UInt64 = 33_333_333
  /// What one event moves at most.
  static let chunk = 64 << 10

  static func transfer(_ bytes: Int) -> UInt64 { Cycles.reaching(ticks: UInt64(bytes), frequency: bytesPerSecond) }
}
