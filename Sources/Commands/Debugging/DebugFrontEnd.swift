import HostResources
import Inspection
import Platform

/// Who sits in front of a debugger.
protocol DebugFrontEnd: AnyObject {
  /// The machine stands still. Returns when it is to go on, with ``Debugger/stop`` nil, or for good.
  func stopped() -> DebugVerdict
  /// It will not run any more.
  func ended(status: UInt8)
  /// What it knows, and its connection, for the front end of a process that goes on in this one's place.
  func handOver() -> (state: [UInt8], descriptor: Int32?)
  /// The other end of that.
  func takeOver(_ state: [UInt8], _ descriptor: Int32?)
}

enum DebugVerdict {
  case goOn
  /// The machine is switched off.
  case quit
}

/// Runs a server for a debugger: whenever it stands still, the front end has its say.
final class DebuggedRun {
  let debugger: Debugger
  private let server: Server
  private let frontEnd: any DebugFrontEnd
  /// What the console has said of the guest's failure, if it has.
  private let consoleFailure: () -> String?
  private var reported = false
  /// The way back in time; nil: there is none.
  var history: CheckpointHistory?

  init(_ debugger: Debugger, _ server: Server, _ frontEnd: any DebugFrontEnd, consoleFailure: @escaping () -> String?) {
    (self.debugger, self.server, self.frontEnd, self.consoleFailure) = (debugger, server, frontEnd, consoleFailure)
  }

  /// As ``Server/run(until:)``.
  func run(until limit: UInt64) throws -> Server.Outcome {
    /// How the guest has ended, while its debugger still looks at it.
    var end: Server.Outcome?
    while true {
      if let stop = debugger.stop, history?.takes(stop) != true, frontEnd.stopped() == .quit { return .stopped }
      if let end { return end }
      if history?.start() == false { continue }
      let outcome = try server.run(until: limit)
      debugger.runEnded()
      if debugger.stop != nil || history?.ended() == true { continue }
      guard let failure = failure(outcome), !reported else { return outcome }
      reported = true
      end = outcome
      debugger.guestFailed(failure)
    }
  }

  func ended(_ status: UInt8) { frontEnd.ended(status: status) }

  private func failure(_ outcome: Server.Outcome) -> String? {
    switch outcome {
    case .crashed(let reason): "the domain crashed: \(reason)"
    case .deadlock: "the guest waits, with nothing left that could wake it"
    case .faultLoop: "the guest is lost: it faults for ever"
    case .stopped: consoleFailure().map { "the guest failed: \($0)" }
    case .poweredOff, .imageReturned, .resetRequested, .limit: nil
    }
  }
}
