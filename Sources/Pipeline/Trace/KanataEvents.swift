/// Lines of a Kanata log that are not written yet, by cycle.
///
/// Few cycles are under way at any time, and events come nearly in order: a search from the end finds their place.
struct KanataEvents {
  private struct Cycle {
    var number: UInt64
    var lines: [UInt8]
  }
  private var cycles: [Cycle] = []
  /// The cycle that the log is in; nil before its header.
  private var written: UInt64?

  /// Adds a line; `cycle` is none that has been taken.
  mutating func add(_ cycle: UInt64, _ line: String) {
    var index = cycles.count
    while index > 0, cycles[index - 1].number > cycle { index -= 1 }
    if index > 0, cycles[index - 1].number == cycle {
      cycles[index - 1].lines.append(contentsOf: line.utf8)
    } else {
      cycles.insert(Cycle(number: cycle, lines: Array(line.utf8)), at: index)
    }
  }

  /// The lines of all cycles before `end`, with those that let time pass; nil: none.
  mutating func take(before end: UInt64) -> [UInt8]? {
    let count = cycles.firstIndex { $0.number >= end } ?? cycles.count
    guard count > 0 else { return nil }
    var bytes: [UInt8] = []
    for cycle in cycles[..<count] {
      if let written {
        if cycle.number > written { bytes.append(contentsOf: "C\t\(cycle.number - written)\n".utf8) }
      } else {
        bytes.append(contentsOf: "Kanata\t0004\nC=\t\(cycle.number)\n".utf8)
      }
      written = cycle.number
      bytes.append(contentsOf: cycle.lines)
    }
    cycles.removeFirst(count)
    return bytes
  }
}
