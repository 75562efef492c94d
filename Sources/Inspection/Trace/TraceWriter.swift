import CZlib
import FoundationEssentials

/// Makes the bytes of a trace file, block by block, and hands them to whoever keeps them.
public final class TraceWriter {
  private var encoder = TraceEncoder()
  private let sink: ([UInt8]) -> Void
  private var total: UInt64 = 0

  /// `sink` is given the file's bytes in order.
  public init(_ description: TraceDescription, sink: @escaping ([UInt8]) -> Void) {
    self.sink = sink
    let json = Self.json(description)
    var head = TraceFormat.magic
    Self.put(TraceFormat.version, &head)
    Self.put(UInt32(json.count), &head)
    sink(head + json)
  }

  deinit { encoder.deallocate() }

  private static func json(_ description: TraceDescription) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    guard let data = try? encoder.encode(description) else { preconditionFailure("numbers and text can be encoded") }
    return Array(data)
  }

  private static func put(_ value: UInt32, _ bytes: inout [UInt8]) {
    for shift in stride(from: UInt32(0), to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
  }

  @inline(__always) public func append(_ record: TraceRecord) {
    if encoder.isFull { flush() }
    encoder.append(record)
  }

  public func append(_ name: TraceName) {
    let (table, number, text): (UInt8, UInt64, String) =
      switch name {
      case .device(let number, let text): (0, number, text)
      case .register(let number, let text): (1, number, text)
      case .domain(let number, let text): (2, number, text)
      }
    var bytes = [table]
    for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
    bytes += text.utf8
    bytes.withUnsafeBytes { block(TraceFormat.BlockType.names, count: 1, $0) }
  }

  /// Writes what has been collected.
  @inline(never)
  public func flush() {
    guard encoder.count > 0 else { return }
    block(TraceFormat.BlockType.records, count: encoder.count, encoder.bytes)
    total += UInt64(encoder.count)
    encoder.reset()
  }

  /// Nothing more comes.
  public func finish() {
    flush()
    withUnsafeBytes(of: total.littleEndian) { block(TraceFormat.BlockType.end, count: 0, $0) }
  }

  private func block(_ type: UInt32, count: UInt32, _ contents: UnsafeRawBufferPointer) {
    let sum = crc32(0, contents.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt32(contents.count))
    var bytes: [UInt8] = []
    bytes.reserveCapacity(16 + contents.count)
    for value in [type, count, UInt32(contents.count), UInt32(truncatingIfNeeded: sum)] { Self.put(value, &bytes) }
    bytes.append(contentsOf: contents)
    sink(bytes)
  }
}
