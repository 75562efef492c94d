import Platform

/// What the devices with a medium behind them have in common.
enum VirtioMedium {
  /// Requests that touch no data.
  static let answerTime = Cycles.from(nanoseconds: 5_000)
  /// Bytes that are on their way between medium and memory at once.
  static let chunk = 64 << 10
}
