import Testing

/// A pipeline trace, read strictly by the description of the Kanata format, version 4 (docs/kanata-log-format.md of the Konata viewer):
/// fields are separated by tabs, `C` lets time pass, `I` comes before all other commands of an instruction and `R` behind them.
struct KanataLog {
  struct Stage: Equatable {
    var name: String
    var start: Int
    var end: Int
  }
  struct Instruction {
    var label = ""
    var detail = ""
    /// Stages of lane 0, and waits of lane 1.
    var stages: [Stage] = []
    var waits: [Stage] = []
    var end: Int?
    var isFlushed = false

    func start(_ stage: String) -> Int? { stages.first { $0.name == stage }?.start }
  }
  struct Malformed: Error { var line: String }

  private(set) var instructions: [Instruction] = []

  init(_ text: String) throws {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    try #require(lines.popLast() == "", "the last line ends")
    try #require(lines.first == "Kanata\t0004")
    var cycle: Int?
    for line in lines.dropFirst() {
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
      func number(_ index: Int) throws -> Int {
        guard index < fields.count, let value = Int(fields[index]), value >= 0 else { throw Malformed(line: String(line)) }
        return value
      }
      func require(_ condition: Bool) throws { if !condition { throw Malformed(line: String(line)) } }
      if fields[0] == "C=" {
        try require(cycle == nil && fields.count == 2)
        cycle = try number(1)
        continue
      }
      guard let now = cycle else { throw Malformed(line: String(line)) }
      if fields[0] == "C" {
        try require(fields.count == 2 && number(1) > 0)
        cycle = try now + number(1)
        continue
      }
      try require(fields.count == 4)
      let id = try number(1)
      if fields[0] == "I" {
        try require(id == instructions.count)
        instructions.append(Instruction())
        continue
      }
      try require(id < instructions.count && instructions[id].end == nil)
      switch fields[0] {
      case "L":
        if try number(2) == 0 { instructions[id].label += fields[3] } else { instructions[id].detail += fields[3] }
      case "S" where fields[2] == "0":
        if let last = instructions[id].stages.indices.last { instructions[id].stages[last].end = now }
        instructions[id].stages.append(Stage(name: String(fields[3]), start: now, end: now))
      case "S":
        instructions[id].waits.append(Stage(name: String(fields[3]), start: now, end: now))
      case "E":
        let last = try #require(instructions[id].waits.indices.last)
        try require(fields[2] == "1" && instructions[id].waits[last].name == fields[3])
        instructions[id].waits[last].end = now
      case "R":
        if let last = instructions[id].stages.indices.last { instructions[id].stages[last].end = now }
        instructions[id].end = now
        instructions[id].isFlushed = try number(3) == 1
      default: throw Malformed(line: String(line))
      }
    }
    try #require(instructions.allSatisfy { $0.end != nil }, "each instruction ends")
  }
}
