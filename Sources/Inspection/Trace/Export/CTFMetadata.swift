import Hypervisor
import Processor

/// The description in a Common Trace Format 1.8 trace (TSDL), of the layout that ``CTFStream`` writes.
enum CTFMetadata {
  /// One event of ours: the numbers of the kind, in this order, all of 64 bits.
  static func fields(of kind: TraceKind) -> [(name: String, value: @Sendable (TraceRecord) -> UInt64)] {
    switch kind {
    case .interruption: [("ip", \.ip), ("isr", \.a), ("ipsr", \.b), ("ifa", \.detail), ("iim", \.c)].map(plain)
    case .exit, .firmware:
      [("begin", \.cycle), ("cycles", \.cost), ("ip", \.ip), ("detail", \.detail), ("a", \.a), ("b", \.b), ("c", \.c)].map(plain)
    case .insert:
      [
        ("ip", { $0.ip }), ("va", { $0.detail }), ("pa", { $0.a }), ("rid", { $0.b >> 8 }), ("ps", { $0.b & 0xFF }),
        ("rights", { $0.c }),
      ]
    case .purge: [("ip", \.ip), ("first", \.detail), ("last", \.a), ("rid", \.b)].map(plain)
    case .event: [("port", { $0.detail }), ("peer_domain", { $0.a >> 32 }), ("peer_port", { $0.a & 0xFFFF_FFFF })]
    case .schedule, .rfi: [("ip", \.ip)].map(plain)
    case .request: [("device", \.b), ("offset", \.detail), ("bytes", \.a)].map(plain)
    case .service: [("begin", \.cycle), ("cycles", \.cost), ("device", \.b), ("bytes", \.a)].map(plain)
    case .frame: [("device", \.b), ("bytes", \.a)].map(plain)
    }
  }

  private static func plain(_ name: String, _ path: KeyPath<TraceRecord, UInt64> & Sendable) -> (
    name: String, value: @Sendable (TraceRecord) -> UInt64
  ) { (name, { $0[keyPath: path] }) }

  /// Whether the time of an event is that of its end: of one stream they must not go back.
  static func endsLate(_ kind: TraceKind) -> Bool { kind == .exit || kind == .firmware || kind == .service }

  /// All names that a kind's causes have, by number.
  private static func causes(of kind: TraceKind) -> [(UInt16, String)] {
    let candidates: [UInt16] =
      switch kind {
      case .interruption: (0..<128).map { $0 << 8 }
      case .exit: (0..<UInt16(ExitKind.count)).filter { ExitKind.at(Int($0)) != nil }
      case .insert: Array(0..<4)
      case .purge: Array(0..<8)
      case .firmware: [0x10, 0x20, 0x30]
      case .request: Array(0..<8)
      case .schedule, .service, .frame: [0, 1]
      case .event, .rfi: [0]
      }
    return candidates.map { number in
      var record = TraceRecord(cycle: 0, kind: kind)
      record.cause = number
      // Hypercalls have numbers of their own.
      if case .hypercall(let hypercall)? = ExitKind.at(Int(number)), kind == .exit { record.detail = hypercall }
      return (number, record.causeName)
    }
  }

  static let magic: UInt32 = 0xC1FC_1FC1

  /// - Parameters:
  ///   - uuid: 16 bytes.
  ///   - devices: Names by number; they become the labels of a `device` field.
  static func text(_ description: TraceDescription, uuid: [UInt8], devices: [UInt64: String]) -> String {
    func quoted(_ text: String) -> String {
      "\"" + text.unicodeScalars.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : $0.value < 32 ? " " : String($0) }.joined() + "\""
    }
    let hex = uuid.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
    let id = [hex[0..<4], hex[4..<6], hex[6..<8], hex[8..<10], hex[10..<16]].map { $0.joined() }.joined(separator: "-")
    var lines = [
      "/* CTF 1.8 */", "",
      "typealias integer { size = 8; align = 8; signed = false; } := uint8_t;",
      "typealias integer { size = 16; align = 8; signed = false; } := uint16_t;",
      "typealias integer { size = 32; align = 8; signed = false; } := uint32_t;",
      "typealias integer { size = 64; align = 8; signed = false; } := uint64_t;",
      "typealias integer { size = 64; align = 8; signed = false; base = 16; } := hex64_t;", "",
      "trace {", "  major = 1;", "  minor = 8;", "  uuid = \"\(id)\";", "  byte_order = le;",
      "  packet.header := struct { uint32_t magic; uint8_t uuid[16]; uint32_t stream_id; };", "};", "",
      "env {", "  domain = \"guest\";", "  tracer_name = \"epicure\";", "  timing = \(quoted(description.timing));",
      "  virtualization = \(quoted(description.virtualization));", "  kernel = \(quoted(description.kernel ?? ""));", "};", "",
      "clock { name = guest; description = \"cycles\"; freq = \(max(1, description.frequency)); offset = 0; };",
      "typealias integer { size = 64; align = 8; signed = false; map = clock.guest.value; } := cycle_t;", "",
      "stream {", "  id = 0;", "  event.header := struct { uint16_t id; cycle_t timestamp; };",
      "  event.context := struct { uint16_t domain; uint8_t cpu; uint8_t pcpu; };",
      "  packet.context := struct { cycle_t timestamp_begin; cycle_t timestamp_end; uint64_t content_size; uint64_t packet_size; };",
      "};",
    ]
    for kind in TraceKind.allCases {
      lines += [
        "", "event {", "  name = \"\(kind.name)\";", "  id = \(kind.rawValue);", "  stream_id = 0;", "  fields := struct {",
      ]
      let labels = causes(of: kind).map { "\(quoted($0.1)) = \($0.0)" }.joined(separator: ", ")
      lines.append("    enum : uint16_t { \(labels) } cause;")
      for field in fields(of: kind) {
        if field.name == "device" && !devices.isEmpty {
          let names = devices.sorted { $0.key < $1.key }.map { "\(quoted($0.value)) = \($0.key)" }.joined(separator: ", ")
          lines.append("    enum : uint64_t { \(names) } device;")
        } else {
          let isCount = ["begin", "cycles", "ps", "offset", "bytes", "port", "peer_port", "peer_domain", "device"].contains(
            field.name)
          lines.append("    \(isCount ? "uint64_t" : "hex64_t") \(field.name);")
        }
      }
      lines += ["  };", "};"]
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
