import HostResources
import Inspection
import Loading
import Platform

extension BootCommand {
  /// A debugger that is not gdb, and what else it needs.
  struct Watching {
    /// Where the guest's console goes.
    var console: HostConsole
    var frontEnd: (_ debugger: Debugger, _ world: OutsideWorld) -> any DebugFrontEnd
  }

  /// Nil: nobody debugs.
  func makeDebugger(
    _ server: Server, _ session: ConsoleSession, _ world: OutsideWorld, _ watching: Watching?, _ journal: Journal
  ) throws -> DebuggedRun? {
    guard watching != nil || gdb != nil else { return nil }
    let goesBack = journal.isReplaying && mayGoBack && Guardian.begin()
    let debugger = Debugger(server.machine, domain: server.domain) { [unowned server] in server.stop() }
    try name(debugger)
    let frontEnd: any DebugFrontEnd
    if let watching {
      frontEnd = watching.frontEnd(debugger, world)
    } else if let gdb {
      let gdbServer = try GDBServer(debugger, at: gdb, world) { [unowned session] in
        Guardian.check()
        return session.end != nil && session.failure == nil
      }
      StandardError.write(
        "epicure: gdb server at \(gdb.host):\(gdbServer.port)\(gdbNowait ? "" : "; the guest waits for \"target remote \(gdb.host):\(gdbServer.port)\"")"
      )
      if gdbNowait { debugger.resume() }
      frontEnd = gdbServer
    } else {
      return nil
    }
    let run = DebuggedRun(debugger, server, frontEnd) { [unowned session] in session.failure }
    if goesBack {
      run.history = CheckpointHistory(
        debugger,
        CheckpointHistory.Surroundings(
          handOver: { [unowned session] in
            session.show()
            return frontEnd.handOver()
          }, takeOver: { frontEnd.takeOver($0, $1) }, silence: { journal.isSilent = $0 }, look: { Guardian.check() }))
    }
    return run
  }

  /// Copies of the process would write these files together, or show the same screen.
  var mayGoBack: Bool { vnc == nil && timing.pipelineTrace == nil && tracing.trace == nil }

  /// Larger files than any real kernel are damaged or not meant.
  private static let largestKernel: UInt64 = 1 << 31

  /// Tells a debugger what the kernel's file says about its addresses.
  private func name(_ debugger: Debugger) throws {
    if let symbols = timing.symbols { debugger.symbols = try SymbolTable(path: symbols) }
    guard let kernel else { return }
    let limit = Self.largestKernel
    let bytes = try GzipReader.plain(HostFile.read(kernel, limit: limit), limit: limit, magic: [], file: kernel)
    guard let program = try? ELFProgram(bytes, file: kernel) else { return }
    debugger.segments = program.segments.filter { $0.virtualAddress != $0.physicalAddress }.map {
      ($0.virtualAddress, $0.physicalAddress, $0.memorySize)
    }
    if debugger.symbols == nil, let found = try? SymbolTable(elf: bytes, file: kernel), !found.isEmpty { debugger.symbols = found }
  }
}
