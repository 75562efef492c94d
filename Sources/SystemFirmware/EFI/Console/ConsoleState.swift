/// What the firmware knows of the terminal on the serial line.
struct ConsoleState: Sendable, Equatable, Codable {
  /// Keys that have been recognized.
  struct Key: Sendable, Equatable, Codable {
    var scanCode: UInt16 = 0
    var character: UInt16 = 0
  }
  static let columns = 80
  static let rows = 25

  /// Address of SIMPLE_TEXT_OUTPUT_MODE.
  var mode: UInt64 = 0
  var column = 0
  var row = 0
  var attribute: UInt32 = 7
  var cursorIsVisible = true

  var keys: [Key] = []
  /// Bytes that may be the beginning of a sequence, and when the first of them came.
  var partial: [UInt8] = []
  var partialSince: UInt64 = 0
  /// When somebody last asked for a key in vain.
  var lastMiss: UInt64?
  /// How often in a row the answer has been put off.
  var misses = 0
}
