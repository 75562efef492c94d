/// A trace for Perfetto (https://ui.perfetto.dev), by its schema `perfetto/trace/perfetto_trace.proto`.
///
/// A domain is a process, a virtual processor a thread: exits and calls of the firmware are slices on it, interruptions, inserts and purges instants.
/// The physical processors are threads of a process of their own, with a slice while they run a virtual one; each device is a track, with lanes
/// beside each other for what it does at the same time. Packets are in the trace's order; Perfetto sorts them by time.
public struct PerfettoExport {
  private let reader: TraceReader
  private let symbols: SymbolTable?
  private let sink: ([UInt8]) -> Void
  /// By ``track(_:_:)``'s key.
  private var tracks: Set<UInt64> = []
  /// When each lane of a device is free again.
  private var lanes: [UInt64: [UInt64]] = [:]
  /// Physical processors with an open slice, and where the trace ends.
  private var running: Set<UInt8> = []
  private var last: UInt64 = 0

  /// Numbers of the schema's fields.
  private enum Packet {
    static let timestamp: UInt64 = 8
    static let trustedPacketSequenceID: UInt64 = 10
    static let trackEvent: UInt64 = 11
    static let trackDescriptor: UInt64 = 60
  }
  private enum Event {
    static let debugAnnotations: UInt64 = 4
    static let type: UInt64 = 9
    static let trackUUID: UInt64 = 11
    static let categories: UInt64 = 22
    static let name: UInt64 = 23
  }
  private enum EventType: UInt64 { case begin = 1, end, instant }
  private enum Annotation {
    static let uint: UInt64 = 3
    static let string: UInt64 = 6
    static let pointer: UInt64 = 7
    static let name: UInt64 = 10
  }
  private enum Descriptor {
    static let uuid: UInt64 = 1
    static let name: UInt64 = 2
    static let process: UInt64 = 3
    static let thread: UInt64 = 4
    static let parent: UInt64 = 5
  }

  /// `sink` is given the file's bytes in order.
  public init(_ reader: TraceReader, _ symbols: SymbolTable?, sink: @escaping ([UInt8]) -> Void) {
    (self.reader, self.symbols, self.sink) = (reader, symbols, sink)
  }

  // MARK: Tracks

  /// Kinds of tracks, in the highest byte of their numbers. Perfetto takes zero for none.
  private enum TrackKind: UInt64 { case domain = 1, processor, server, physical, device, events }

  private static func track(_ kind: TrackKind, _ a: UInt64 = 0, _ b: UInt64 = 0) -> UInt64 { kind.rawValue << 56 | a << 16 | b }

  /// Processes of Perfetto's: the server, then the domains.
  private static func process(_ domain: UInt16) -> UInt64 { UInt64(domain) + 2 }
  private static let server: UInt64 = 1

  private mutating func describe(_ track: UInt64, _ fill: (inout ProtocolBuffer) -> Void) -> UInt64 {
    guard tracks.insert(track).inserted else { return track }
    let descriptor = ProtocolBuffer {
      $0.number(Descriptor.uuid, track)
      fill(&$0)
    }
    packet(nil) { $0.message(Packet.trackDescriptor, descriptor) }
    return track
  }

  private mutating func domain(_ number: UInt16) -> UInt64 {
    let name = reader.domains[UInt64(number)] ?? "domain \(number)"
    return describe(Self.track(.domain, UInt64(number))) {
      $0.message(
        Descriptor.process,
        ProtocolBuffer {
          $0.number(1, Self.process(number))
          $0.text(6, name)
        })
    }
  }

  private mutating func processor(_ r: TraceRecord) -> UInt64 {
    guard r.processor != TraceRecord.noProcessor else { return events(r.domain) }
    _ = domain(r.domain)
    // Linux's number of a thread names one for the whole system.
    let thread = (UInt64(r.domain) + 1) << 8 | UInt64(r.processor)
    return describe(Self.track(.processor, UInt64(r.domain), UInt64(r.processor))) {
      $0.message(
        Descriptor.thread,
        ProtocolBuffer {
          $0.number(1, Self.process(r.domain))
          $0.number(2, thread)
          $0.text(5, "processor \(r.processor)")
        })
    }
  }

  private mutating func physical(_ number: UInt8) -> UInt64 {
    _ = describe(Self.track(.server)) {
      $0.message(
        Descriptor.process,
        ProtocolBuffer {
          $0.number(1, Self.server)
          $0.text(6, "server")
        })
    }
    return describe(Self.track(.physical, UInt64(number))) {
      $0.message(
        Descriptor.thread,
        ProtocolBuffer {
          $0.number(1, Self.server)
          $0.number(2, UInt64(number) + 2)
          $0.text(5, "physical processor \(number)")
        })
    }
  }

  private mutating func device(_ r: TraceRecord, lane: Int) -> UInt64 {
    let parent = domain(r.domain)
    let name = reader.place(of: r) ?? "device \(r.b)"
    return describe(Self.track(.device, UInt64(r.domain) << 16 | r.b & 0xFFFF, UInt64(lane))) {
      $0.text(Descriptor.name, name)
      $0.number(Descriptor.parent, parent)
    }
  }

  private mutating func events(_ number: UInt16) -> UInt64 {
    let parent = domain(number)
    return describe(Self.track(.events, UInt64(number))) {
      $0.text(Descriptor.name, "events")
      $0.number(Descriptor.parent, parent)
    }
  }

  // MARK: Events

  /// Nanoseconds.
  private func time(_ cycle: UInt64) -> UInt64 {
    let frequency = max(1, reader.description.frequency)
    let (high, low) = cycle.multipliedFullWidth(by: 1_000_000_000)
    return high < frequency ? frequency.dividingFullWidth((high, low)).quotient : .max
  }

  private func packet(_ cycle: UInt64?, _ fill: (inout ProtocolBuffer) -> Void) {
    let packet = ProtocolBuffer {
      if let cycle { $0.number(Packet.timestamp, time(cycle)) }
      $0.number(Packet.trustedPacketSequenceID, 1)
      fill(&$0)
    }
    sink(ProtocolBuffer { $0.message(1, packet) }.bytes)
  }

  private func event(_ type: EventType, _ cycle: UInt64, on track: UInt64, _ fill: (inout ProtocolBuffer) -> Void = { _ in }) {
    let event = ProtocolBuffer {
      $0.number(Event.type, type.rawValue)
      $0.number(Event.trackUUID, track)
      fill(&$0)
    }
    packet(cycle) { $0.message(Packet.trackEvent, event) }
  }

  private static func annotate(_ event: inout ProtocolBuffer, _ name: String, _ value: UInt64, _ field: UInt64 = Annotation.pointer)
  {
    event.message(
      Event.debugAnnotations,
      ProtocolBuffer {
        $0.text(Annotation.name, name)
        $0.number(field, value)
      })
  }

  private static func annotate(_ event: inout ProtocolBuffer, _ name: String, _ value: String) {
    event.message(
      Event.debugAnnotations,
      ProtocolBuffer {
        $0.text(Annotation.name, name)
        $0.text(Annotation.string, value)
      })
  }

  /// What is known of a record, for the panel that a click opens.
  private func describe(_ r: TraceRecord) -> (inout ProtocolBuffer) -> Void {
    let symbol = r.ip == 0 ? nil : symbols?.name(of: r.ip & ~0xF)
    let place = reader.place(of: r)
    return { event in
      event.text(Event.name, r.causeName)
      event.text(Event.categories, r.kind.name)
      if r.ip != 0 { Self.annotate(&event, "ip", r.ip) }
      if let symbol { Self.annotate(&event, "function", symbol) }
      if let place { Self.annotate(&event, r.device == nil ? "register" : "device", place) }
      if r.cost != 0 { Self.annotate(&event, "cycles", r.cost, Annotation.uint) }
      for (name, value) in [("detail", r.detail), ("a", r.a), ("b", r.b), ("c", r.c)] where value != 0 {
        Self.annotate(&event, name, value)
      }
    }
  }

  public mutating func add(_ r: TraceRecord) {
    last = max(last, r.cycle &+ r.cost)
    switch r.kind {
    case .exit, .firmware: slice(r, on: processor(r))
    case .interruption, .insert, .purge, .rfi: event(.instant, r.cycle, on: processor(r), describe(r))
    case .event: event(.instant, r.cycle, on: events(r.domain), describe(r))
    case .schedule: schedule(r)
    case .request, .frame: event(.instant, r.cycle, on: device(r, lane: 0), describe(r))
    case .service:
      let key = UInt64(r.domain) << 32 | r.b & 0xFFFF_FFFF
      var free = lanes[key] ?? []
      let lane = free.firstIndex { $0 <= r.cycle } ?? free.count
      if lane == free.count { free.append(0) }
      free[lane] = r.cycle &+ r.cost
      lanes[key] = free
      slice(r, on: device(r, lane: lane))
    }
  }

  private func slice(_ r: TraceRecord, on track: UInt64) {
    event(.begin, r.cycle, on: track, describe(r))
    event(.end, r.cycle &+ r.cost, on: track)
  }

  private mutating func schedule(_ r: TraceRecord) {
    let track = physical(r.physical)
    if running.remove(r.physical) != nil { event(.end, r.cycle, on: track) }
    guard r.cause != 1 else { return }
    running.insert(r.physical)
    let name = reader.domains[UInt64(r.domain)] ?? "domain \(r.domain)"
    event(.begin, r.cycle, on: track) {
      $0.text(Event.name, "\(name) \(r.processor)")
      $0.text(Event.categories, r.kind.name)
    }
  }

  /// Closes what is open.
  public mutating func finish() {
    for number in running.sorted() { event(.end, last, on: physical(number)) }
    running = []
  }
}
