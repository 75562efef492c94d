/// One stream of a Common Trace Format trace: packets of events in the order of their times.
///
/// Records of a processor are in the order in which they ended, but what devices do is known ahead of time. So a window of events is sorted before
/// it is written; one that is later than the window, which no recording here has been, gets the time of the one before it.
struct CTFStream {
  private let uuid: [UInt8]
  private let sink: ([UInt8]) -> Void
  private var pending: [(time: UInt64, order: Int, bytes: [UInt8])] = []
  private var order = 0
  private var last: UInt64 = 0

  private static let window = 1 << 15
  /// Events of a packet.
  private static let packet = 1 << 12

  init(uuid: [UInt8], sink: @escaping ([UInt8]) -> Void) { (self.uuid, self.sink) = (uuid, sink) }

  static func put<T: FixedWidthInteger>(_ value: T, _ bytes: inout [UInt8]) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func add(_ r: TraceRecord) {
    let time = CTFMetadata.endsLate(r.kind) ? r.cycle &+ r.cost : r.cycle
    var bytes: [UInt8] = []
    Self.put(r.domain, &bytes)
    bytes += [r.processor, r.physical]
    Self.put(r.cause, &bytes)
    for field in CTFMetadata.fields(of: r.kind) { Self.put(field.value(r), &bytes) }
    var event: [UInt8] = []
    Self.put(UInt16(r.kind.rawValue), &event)
    pending.append((time, order, event + bytes))
    order += 1
    if pending.count >= 2 * Self.window { write(Self.window) }
  }

  mutating func finish() { write(pending.count) }

  private mutating func write(_ count: Int) {
    pending.sort { ($0.time, $0.order) < ($1.time, $1.order) }
    for start in stride(from: 0, to: count, by: Self.packet) { packet(pending[start..<min(count, start + Self.packet)]) }
    pending.removeFirst(count)
  }

  private mutating func packet(_ events: ArraySlice<(time: UInt64, order: Int, bytes: [UInt8])>) {
    let begin = max(last, events.first?.time ?? 0)
    var content: [UInt8] = []
    for event in events {
      last = max(last, event.time)
      // The header's number, then its time, then the rest.
      content += event.bytes[..<2]
      Self.put(last, &content)
      content += event.bytes[2...]
    }
    var bytes: [UInt8] = []
    Self.put(CTFMetadata.magic, &bytes)
    bytes += uuid
    Self.put(UInt32(0), &bytes)
    Self.put(begin, &bytes)
    Self.put(last, &bytes)
    let bits = UInt64(bytes.count + 16 + content.count) * 8
    Self.put(bits, &bytes)
    Self.put(bits, &bytes)
    sink(bytes + content)
  }
}
