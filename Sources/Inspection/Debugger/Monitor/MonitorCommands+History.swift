import Hypervisor
import Platform
import Processor

extension MonitorCommands {
  func backtrace(_ index: Int) -> [String] {
    debugger.inspect(index) { processor in
      GuestBacktrace(processor, memory: debugger.machine.memory, symbols: debugger.symbols).addresses.enumerated().map {
        "#\($0)  \(Self.hex($1))\(name(of: $1))"
      }
    }
  }

  func exits(_ arguments: [Substring], _ index: Int) -> [String] {
    guard let domain = debugger.domain else { return ["the bare machine has no exits"] }
    let log = domain.virtualProcessors[index].exits
    let count = arguments.first.flatMap { Int($0) } ?? 8
    var lines = ["\(log.total) exits"]
    lines += log.byKind.map { "  \(String($0.count).leftPadded(12))  \($0.kind.name)" }
    lines.append("the last ones, oldest first: cycle, ip, reason, detail")
    lines += log.last.suffix(max(0, count)).map { exit in
      "  \(exit.cycle)  \(Self.hex(exit.ip))  \(exit.kind.name)  \(Self.hex(exit.detail))\(name(of: exit.ip & ~0xF))"
    }
    return lines
  }

  var statistics: [String] {
    var lines = ["guest time \(Cycles.seconds(debugger.machine.now)) s, cycle \(debugger.machine.now)"]
    for (index, processor) in debugger.machine.processors.enumerated() {
      let s = processor.state
      lines.append(
        "processor \(index): \(s.pointee.instructions) slots, \(s.cycles) cycles (\(s.pointee.idleCycles) idle), "
          + "\(processor.interruptionCount) interruptions; \(debugger.summary(index))")
    }
    return lines
  }
}

extension String {
  func leftPadded(_ width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}
