import Hypervisor
import Inspection
import Platform

/// What records the domains of a server: `serve --trace` and its flight recorder.
final class HostObservation {
  private let recorder: TraceRecorder
  private let file: TraceFile?
  private let description: TraceDescription
  /// The flight recorder was asked for.
  private let remembers: Bool

  /// `path`: a file for everything; nil: none. `remembered`: how many events are written beside the report of a crash; 0: none are.
  init(path: String?, remembered: Int, processors: Int) throws(CommandFailure) {
    file = try path.map { (path) throws(CommandFailure) in try TraceFile(path: path) }
    remembers = remembered > 0
    description = TraceDescription(
      frequency: Cycles.perSecond, timing: "functional", virtualization: "serve", processors: processors, kernel: nil, domains: [])
    let writer = file.map { [description] file in TraceWriter(description, sink: { _ = file.append($0) }) }
    recorder = TraceRecorder(writer: writer, remembered: remembered)
  }

  /// Domains share their processors and their event channels.
  func begin(_ hypervisor: Hypervisor, _ events: EventChannels) {
    recorder.observe(hypervisor)
    recorder.observe(events) { [unowned hypervisor] in hypervisor.now }
  }

  func begin(_ server: Server) { server.observe(with: recorder, eventsOfItsOwn: false) }

  func end(_ server: Server) { if let domain = server.domain { recorder.forget(domain) } }

  /// The last events, beside the report of a crash. Nil: nobody wants them, or the disk does not.
  func writeLast(beside report: String) -> String? {
    guard remembers else { return nil }
    let path = report + ".trace"
    do throws(CommandFailure) {
      let file = try TraceFile(path: path)
      recorder.dump(description) { _ = file.append($0) }
      return file.flush() ? path : nil
    } catch { return nil }
  }

  /// The server is switched off.
  func finish() {
    recorder.finish()
    file?.finish("trace")
  }
}
