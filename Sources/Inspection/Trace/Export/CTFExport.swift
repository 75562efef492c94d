/// A trace as a directory of the Common Trace Format 1.8, for `babeltrace2` and Trace Compass: `metadata`, and a stream for each processor and for
/// what belongs to none.
public struct CTFExport {
  private let reader: TraceReader
  private let uuid: [UInt8]
  private let open: (String) throws -> ([UInt8]) -> Void
  private var streams: [UInt32: CTFStream] = [:]

  /// `open` makes a file of the directory, and gives what appends to it.
  public init(_ reader: TraceReader, open: @escaping (String) throws -> ([UInt8]) -> Void) rethrows {
    (self.reader, self.open) = (reader, open)
    // The same trace has the same: FNV-1a over what it says of itself, in both halves.
    let text = "\(reader.description)"
    func hash(_ start: UInt64) -> UInt64 { text.utf8.reduce(start) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 } }
    var bytes: [UInt8] = []
    CTFStream.put(hash(0xCBF2_9CE4_8422_2325), &bytes)
    CTFStream.put(hash(0x84222325_CBF29CE4), &bytes)
    uuid = bytes
    try open("metadata")(Array(CTFMetadata.text(reader.description, uuid: bytes, devices: reader.devices).utf8))
  }

  public mutating func add(_ r: TraceRecord) throws {
    let key = UInt32(r.domain) << 8 | UInt32(r.processor)
    if streams[key] == nil {
      let name = r.processor == TraceRecord.noProcessor ? "domain\(r.domain)" : "domain\(r.domain)_cpu\(r.processor)"
      streams[key] = CTFStream(uuid: uuid, sink: try open(name))
    }
    streams[key]?.add(r)
  }

  public mutating func finish() { for key in streams.keys { streams[key]?.finish() } }
}
