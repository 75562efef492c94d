import Hypervisor
import Platform
import Processor

/// Collects what happens in a server: into a file, into a memory of the last events, and past a condition that stops the run.
public final class TraceRecorder {
  private let writer: TraceWriter?
  /// The last records, in a ring.
  private let ring: UnsafeMutablePointer<TraceRecord>?
  public let remembered: Int
  private var position = 0
  private var filled = 0
  /// Records so far.
  public private(set) var count: UInt64 = 0

  /// Stops the run where it becomes true.
  public let condition: TraceExpression?
  /// Told once for each time: what has happened. It must make the machine stop.
  public var conditionMet: ((TraceRecord) -> Void)?
  /// Names of functions, for conditions.
  public var function: (UInt64) -> String? = { _ in nil }

  private var registers: [UInt64: String] = [:]
  private var devices: [String] = []
  private var domains: [UInt16: String] = [:]
  /// A guest may touch as many addresses as it likes; so many get names.
  private static let namedRegisters = 4096

  /// - Parameters:
  ///   - writer: Where everything goes; nil: nowhere.
  ///   - remembered: How many records ``last`` has at most.
  public init(writer: TraceWriter?, remembered: Int = 0, condition: TraceExpression? = nil) {
    (self.writer, self.remembered, self.condition) = (writer, remembered, condition)
    ring = remembered > 0 ? .allocate(capacity: remembered) : nil
    ring?.initialize(repeating: TraceRecord(cycle: 0, kind: .exit), count: remembered)
  }

  deinit { ring?.deallocate() }

  /// The last records, oldest first.
  public var last: [TraceRecord] {
    guard let ring else { return [] }
    return (0..<filled).map { ring[(position + remembered - filled + $0) % remembered] }
  }

  /// Writes ``last`` as a file of its own, with the names that it needs.
  public func dump(_ description: TraceDescription, into sink: @escaping ([UInt8]) -> Void) {
    let file = TraceWriter(description, sink: sink)
    for (number, name) in devices.enumerated() { file.append(.device(UInt64(number), name)) }
    for (address, name) in registers.sorted(by: { $0.key < $1.key }) { file.append(.register(address, name)) }
    for (number, name) in domains.sorted(by: { $0.key < $1.key }) { file.append(.domain(UInt64(number), name)) }
    for record in last { file.append(record) }
    file.finish()
  }

  /// The run is over, and with it the exits that are being handled.
  public func finish() {
    for key in probes.keys.sorted(by: { ($0.domain, $0.index) < ($1.domain, $1.index) }) { probes[key]?.resumed() }
    writer?.finish()
  }

  // MARK: Names

  /// The number of a device in records.
  public func number(ofDevice name: String) -> UInt64 {
    if let number = devices.firstIndex(of: name) { return UInt64(number) }
    devices.append(name)
    writer?.append(.device(UInt64(devices.count - 1), name))
    return UInt64(devices.count - 1)
  }

  public func name(domain number: UInt16, _ name: String) {
    guard domains[number] != name else { return }
    domains[number] = name
    writer?.append(.domain(UInt64(number), name))
  }

  func nameRegister(_ address: UInt64, _ name: () -> String?) {
    guard registers[address] == nil, registers.count < Self.namedRegisters else { return }
    let text = name() ?? "nothing"
    registers[address] = text
    writer?.append(.register(address, text))
  }

  /// As ``TraceReader/place(of:)``.
  public func place(of r: TraceRecord) -> String? {
    if let device = r.device { return Int(exactly: device).flatMap { $0 < devices.count ? devices[$0] : nil } }
    return registers[r.detail]
  }

  // MARK: Records

  /// `live`: the registers that conditions may look at.
  func append(_ record: TraceRecord, _ live: (() -> GuestRegisters)? = nil) {
    if let live, meets(record, live) { conditionMet?(record) }
    if record.kind == .rfi { return }
    keep(record)
  }

  @inline(__always) private func keep(_ record: TraceRecord) {
    count &+= 1
    writer?.append(record)
    if let ring {
      ring[position] = record
      position = position + 1 == remembered ? 0 : position + 1
      if filled < remembered { filled += 1 }
    }
  }

  func meets(_ record: TraceRecord, _ live: () -> GuestRegisters) -> Bool {
    guard let condition else { return false }
    let registers = live()
    return condition.matches(
      record,
      TraceExpression.Context(
        register: { registers[$0] }, function: function, place: { [unowned self] in place(of: $0) },
        domainName: { [unowned self] in domains[$0] }))
  }

  // MARK: Sources

  /// Looks at a bare machine's processors, or a domain's virtual ones, from now on.
  public func observe(_ machine: Machine, domain: Domain?, name: String) {
    let number = domain?.domainNumber ?? 0
    self.name(domain: number, name)
    for (index, processor) in machine.processors.enumerated() {
      let probe = ProcessorProbe(self, machine: machine, domain: number, index: index, virtual: domain?.virtualProcessors[index])
      processor.observer = probe
      probes[ProbeKey(domain: number, index: index)] = probe
    }
    guard let domain else { return }
    domain.exitObserver = self
    machine.bus.observer = { [unowned self] physical, size, value, isWrite in
      for index in 0..<domain.virtualProcessorCount {
        probes[ProbeKey(domain: number, index: index)]?.accessed(physical, size, value, isWrite)
      }
    }
  }

  /// The domain is gone.
  public func forget(_ domain: Domain) {
    for index in 0..<domain.virtualProcessorCount {
      probes[ProbeKey(domain: domain.domainNumber, index: index)] = nil
      domain.virtualProcessors[index].processor.observer = nil
    }
    domain.exitObserver = nil
  }

  struct ProbeKey: Hashable {
    var domain: UInt16
    var index: Int
  }
  private var probes: [ProbeKey: ProcessorProbe] = [:]

  private func probe(of processor: VirtualProcessor) -> ProcessorProbe? { processor.processor.observer as? ProcessorProbe }

  /// Sends over event channels.
  public func observe(_ events: EventChannels, clock: @escaping () -> UInt64) {
    events.observer = { [unowned self] from, port, to, peer in
      var record = TraceRecord(cycle: clock(), kind: .event)
      record.domain = from
      record.detail = UInt64(port)
      record.a = UInt64(to) << 32 | UInt64(peer)
      append(record)
    }
  }

  /// Which virtual processors run where.
  public func observe(_ hypervisor: Hypervisor) {
    hypervisor.observer = { [unowned self] cpu, new, cycle in
      var record = TraceRecord(cycle: cycle, kind: .schedule)
      record.physical = UInt8(truncatingIfNeeded: cpu)
      if let new {
        record.domain = UInt16(truncatingIfNeeded: new.domain)
        record.processor = UInt8(truncatingIfNeeded: new.processor)
        probes[ProbeKey(domain: record.domain, index: new.processor)]?.physical = record.physical
      } else {
        record.cause = 1
      }
      append(record)
    }
  }

  /// What a device asks of its medium, by the name of statistics.
  public func noteRequest(
    _ cause: UInt16, device: UInt64, domain: UInt16, offset: UInt64, bytes: UInt64, at cycle: UInt64
  ) {
    var record = TraceRecord(cycle: cycle, kind: .request)
    (record.domain, record.cause, record.detail, record.a, record.b) = (domain, cause, offset, bytes, device)
    append(record)
  }

  /// How long a medium is busy with it.
  public func noteService(isWrite: Bool, device: UInt64, domain: UInt16, bytes: UInt64, from start: UInt64, to end: UInt64) {
    var record = TraceRecord(cycle: start, kind: .service)
    (record.domain, record.cause, record.a, record.b) = (domain, isWrite ? 1 : 0, bytes, device)
    record.cost = end &- start
    append(record)
  }

  public func noteFrame(isReceived: Bool, device: UInt64, domain: UInt16, bytes: Int, at cycle: UInt64) {
    var record = TraceRecord(cycle: cycle, kind: .frame)
    (record.domain, record.cause, record.a, record.b) = (domain, isReceived ? 1 : 0, UInt64(bytes), device)
    append(record)
  }
}

extension TraceRecorder: ExitObserver {
  public var holdsExits: Bool { condition != nil }

  public func holds(_ processor: VirtualProcessor, _ kind: ExitKind, detail: UInt64) -> Bool {
    probe(of: processor)?.holds(kind, detail: detail) ?? false
  }

  public func exited(_ processor: VirtualProcessor, _ exit: ExitLog.Entry) { probe(of: processor)?.exited(exit) }

  public func resumed(_ processor: VirtualProcessor) { probe(of: processor)?.resumed() }
}
