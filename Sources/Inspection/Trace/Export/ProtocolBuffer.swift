/// The wire format of Protocol Buffers, as much of it as a trace needs.
struct ProtocolBuffer {
  private(set) var bytes: [UInt8] = []

  init() {}
  init(_ fill: (inout ProtocolBuffer) -> Void) { fill(&self) }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest > 0x7F {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  /// Wire type 0.
  mutating func number(_ field: UInt64, _ value: UInt64) {
    varint(field << 3)
    varint(value)
  }

  /// Wire type 2.
  mutating func text(_ field: UInt64, _ value: String) {
    varint(field << 3 | 2)
    varint(UInt64(value.utf8.count))
    bytes.append(contentsOf: value.utf8)
  }

  mutating func message(_ field: UInt64, _ value: ProtocolBuffer) {
    varint(field << 3 | 2)
    varint(UInt64(value.bytes.count))
    bytes.append(contentsOf: value.bytes)
  }
}
