import HostResources
import Inspection
import Loading
import Platform
import Processor

/// The recorder of a run, and its files.
final class TraceObservation {
  let recorder: TraceRecorder
  private let options: TraceOptions
  private let file: TraceFile?
  private let description: TraceDescription
  private let symbols: SymbolTable?
  /// Where ``TraceOptions/breakCondition`` has become true and has ended the run.
  private(set) var stoppedAt: TraceRecord?

  /// Nil: nobody wants one. Opens the files. `remembers`: the last events are wanted, whether or not the options say so. `symbols`: an ELF file or a System.map that may have names of functions.
  init?(
    _ options: TraceOptions, remembers: Bool = false, server: Server, virtualization: Virtualization, kernel: String?,
    symbols: String?
  ) throws {
    guard options.isGiven || remembers else { return nil }
    self.options = options
    file = try options.trace.map { (path) throws(CommandFailure) in try TraceFile(path: path) }
    let number = server.domain?.domainNumber ?? 0
    let description = TraceDescription(
      frequency: Cycles.perSecond, timing: server.pipelines.isEmpty ? "functional" : "cycle",
      virtualization: virtualization.rawValue, processors: server.processors.count, kernel: kernel, symbols: symbols,
      domains: [.init(number: number, name: server.domainName)])
    self.description = description
    let condition = try options.condition()
    // What cannot be read here, or has no symbols, is somebody else's business.
    let table = condition == nil ? nil : (symbols ?? kernel).flatMap { try? SymbolTable(path: $0) }
    self.symbols = table
    let file = self.file
    let writer = file.map { file in TraceWriter(description, sink: { _ = file.append($0) }) }
    recorder = TraceRecorder(
      writer: writer, remembered: options.flightRecorder == nil && !remembers ? 0 : options.flightEvents, condition: condition)
    begins = { [unowned server, recorder] in server.observe(with: recorder) }
    if let table { recorder.function = { table.symbol(of: $0)?.name } }
    recorder.conditionMet = { [unowned self, unowned server] record in
      if let conditionMet { return conditionMet(record) }
      stoppedAt = record
      server.stop()
    }
    if options.traceFrom == nil { begins() }
  }

  /// Looks at the server from now on.
  private let begins: () -> Void

  /// Begins when ``TraceOptions/traceFrom`` comes, if it does not look already.
  func wait(for session: ConsoleSession) throws(CommandFailure) {
    guard let pattern = options.traceFrom else { return }
    session.await(try ConsoleFailure.expression(pattern, "--trace-from"), begins)
  }

  /// What is to be done when the condition becomes true; nil: the run ends. The machine must be made to stop.
  var conditionMet: ((TraceRecord) -> Void)?

  /// The run is over; `failed`: the guest has crashed, or said that it failed.
  func finish(failed: Bool) {
    recorder.finish()
    file?.finish("trace")
    if failed, let path = options.flightRecorder { writeFlightRecorder(to: path) }
    if let stoppedAt { StandardError.write("epicure: --break: " + text(of: stoppedAt)) }
  }

  /// A record as a line for people.
  func text(of record: TraceRecord) -> String {
    TraceText(symbols: symbols, place: { [recorder] in recorder.place(of: $0) }).line(record)
  }

  /// The last events, as a trace.
  var remembered: [UInt8] {
    var bytes: [UInt8] = []
    recorder.dump(description) { bytes += $0 }
    return bytes
  }

  func writeFlightRecorder(to path: String) {
    do throws(CommandFailure) {
      let file = try TraceFile(path: path)
      recorder.dump(description) { _ = file.append($0) }
      file.flush()
      StandardError.write("epicure: the last \(recorder.last.count) events are in \(path): epicure trace list \(path)")
    } catch { error.report() }
  }
}

extension Server {
  /// Tells the recorder of everything from now on, also of what is plugged in later. `eventsOfItsOwn`: the domain shares its event channels with
  /// no other.
  func observe(with recorder: TraceRecorder, eventsOfItsOwn: Bool = true) {
    self.recorder = recorder
    recorder.observe(machine, domain: domain, name: domainName)
    if let domain, eventsOfItsOwn { recorder.observe(domain.services.events) { [unowned machine] in machine.now } }
    for (name, disk) in disks { observe(disk, name: name, recorder) }
    for (name, timing) in media { observe(timing, name: name, recorder) }
    for (name, port) in ports { observe(port, name: name, recorder) }
  }

  func observe(_ disk: OpenDisk, name: String, _ recorder: TraceRecorder) {
    let device = recorder.number(ofDevice: name)
    let domain = domain?.domainNumber ?? 0
    disk.storage.observer = { [unowned recorder, unowned machine] request, offset, bytes, succeeded in
      recorder.noteRequest(
        UInt16(request.rawValue) | (succeeded ? 0 : 4), device: device, domain: domain, offset: offset, bytes: UInt64(bytes),
        at: machine.now)
    }
  }

  func observe(_ timing: MediumTiming, name: String, _ recorder: TraceRecorder) {
    let device = recorder.number(ofDevice: name)
    let domain = domain?.domainNumber ?? 0
    timing.observer = { [unowned recorder] bytes, isWrite, start, end in
      recorder.noteService(isWrite: isWrite, device: device, domain: domain, bytes: bytes, from: start, to: end)
    }
  }

  func observe(_ port: ObservedPort, name: String, _ recorder: TraceRecorder) {
    let device = recorder.number(ofDevice: name)
    let domain = domain?.domainNumber ?? 0
    port.observer = { [unowned recorder, unowned machine] isReceived, bytes in
      recorder.noteFrame(isReceived: isReceived, device: device, domain: domain, bytes: bytes, at: machine.now)
    }
  }
}
