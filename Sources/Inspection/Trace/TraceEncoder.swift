/// Turns records into the bytes of a block.
struct TraceEncoder {
  private let buffer: UnsafeMutablePointer<UInt8>
  private(set) var used = 0
  private(set) var count: UInt32 = 0
  private var last = TraceRecord(cycle: 0, kind: .exit)
  private static let size = 64 << 10

  init() { buffer = .allocate(capacity: Self.size) }
  func deallocate() { buffer.deallocate() }

  var isFull: Bool { used > Self.size - TraceFormat.largestRecord }
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: buffer, count: used) }

  /// Begins a new block.
  mutating func reset() {
    used = 0
    count = 0
    last = TraceRecord(cycle: 0, kind: .exit)
  }

  /// There must be room.
  mutating func append(_ r: TraceRecord) {
    buffer[used] = r.kind.rawValue
    let start = used
    used += 3
    var mask: UInt16 = 0
    putDifference(r.cycle, last.cycle)
    if r.domain != last.domain || r.processor != last.processor || r.physical != last.physical {
      mask |= TraceFormat.Field.place
      put(UInt64(r.domain) << 16 | UInt64(r.processor) << 8 | UInt64(r.physical))
    }
    if r.cause != 0 { put(UInt64(r.cause), TraceFormat.Field.cause, &mask) }
    if r.ip != last.ip {
      mask |= TraceFormat.Field.ip
      putDifference(r.ip, last.ip)
    }
    if r.detail != 0 { put(r.detail, TraceFormat.Field.detail, &mask) }
    if r.a != 0 { put(r.a, TraceFormat.Field.a, &mask) }
    if r.b != 0 { put(r.b, TraceFormat.Field.b, &mask) }
    if r.c != 0 { put(r.c, TraceFormat.Field.c, &mask) }
    if r.cost != 0 { put(r.cost, TraceFormat.Field.cost, &mask) }
    buffer[start + 1] = UInt8(truncatingIfNeeded: mask)
    buffer[start + 2] = UInt8(truncatingIfNeeded: mask >> 8)
    last = r
    count += 1
  }

  private mutating func put(_ value: UInt64, _ field: UInt16, _ mask: inout UInt16) {
    mask |= field
    put(value)
  }

  private mutating func put(_ value: UInt64) {
    var rest = value
    while rest > 0x7F {
      buffer[used] = UInt8(truncatingIfNeeded: rest) | 0x80
      used += 1
      rest >>= 7
    }
    buffer[used] = UInt8(truncatingIfNeeded: rest)
    used += 1
  }

  private mutating func putDifference(_ value: UInt64, _ old: UInt64) {
    let difference = Int64(bitPattern: value &- old)
    put(UInt64(bitPattern: difference &<< 1 ^ difference >> 63))
  }
}

/// The way back, for bytes that may be anything.
struct TraceDecoder {
  private let bytes: ArraySlice<UInt8>
  private var position: Int
  private var last = TraceRecord(cycle: 0, kind: .exit)

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  var isAtEnd: Bool { position == bytes.endIndex }

  /// Nil: the bytes are no record.
  mutating func next() -> TraceRecord? {
    guard bytes.endIndex - position >= 3, let kind = TraceKind(rawValue: bytes[position]) else { return nil }
    let mask = UInt16(bytes[position + 1]) | UInt16(bytes[position + 2]) << 8
    guard mask & ~TraceFormat.Field.all == 0 else { return nil }
    position += 3
    var r = TraceRecord(cycle: 0, kind: kind)
    (r.domain, r.processor, r.physical, r.ip) = (last.domain, last.processor, last.physical, last.ip)
    guard let cycle = difference(to: last.cycle) else { return nil }
    r.cycle = cycle
    if mask & TraceFormat.Field.place != 0 {
      guard let place = number(), place >> 32 == 0 else { return nil }
      r.domain = UInt16(place >> 16)
      r.processor = UInt8(place >> 8 & 0xFF)
      r.physical = UInt8(place & 0xFF)
    }
    if mask & TraceFormat.Field.cause != 0 {
      guard let cause = number(), cause >> 16 == 0 else { return nil }
      r.cause = UInt16(cause)
    }
    if mask & TraceFormat.Field.ip != 0 {
      guard let ip = difference(to: last.ip) else { return nil }
      r.ip = ip
    }
    guard read(TraceFormat.Field.detail, mask, &r.detail), read(TraceFormat.Field.a, mask, &r.a),
      read(TraceFormat.Field.b, mask, &r.b), read(TraceFormat.Field.c, mask, &r.c), read(TraceFormat.Field.cost, mask, &r.cost)
    else { return nil }
    last = r
    return r
  }

  private mutating func read(_ field: UInt16, _ mask: UInt16, _ value: inout UInt64) -> Bool {
    guard mask & field != 0 else { return true }
    guard let number = number() else { return false }
    value = number
    return true
  }

  private mutating func number() -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while position < bytes.endIndex, shift < 64 {
      let byte = bytes[position]
      position += 1
      if shift == 63 && byte > 1 { return nil }
      value |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return value }
      shift += 7
    }
    return nil
  }

  private mutating func difference(to old: UInt64) -> UInt64? {
    number().map { old &+ UInt64(bitPattern: Int64(bitPattern: $0 >> 1) ^ -Int64(bitPattern: $0 & 1)) }
  }
}
