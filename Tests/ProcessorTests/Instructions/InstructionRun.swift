import Processor
import Testing

/// Runs a sequence of modelled instructions on the test machine and compares every register with the model.
enum InstructionRun {
  /// - Parameters:
  ///   - name: of the instruction, for the seed and the failure.
  ///   - nats: some registers hold a NaT.
  static func check(
    _ name: String, count: Int = 24, nats: Bool = true, _ make: InstructionMaker, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    for round in 0..<(OperandSource.isComplete ? 200 : 2) {
      // The first round is without NaTs: it runs in blocks.
      try run(name, round, count, nats: nats && round > 0, make, sourceLocation)
    }
  }

  private static func run(
    _ name: String, _ round: Int, _ count: Int, nats: Bool, _ make: InstructionMaker, _ sourceLocation: SourceLocation
  ) throws {
    var random = OperandSource(name, round: round)
    var model = RegisterModel()
    for n in 1..<48 {
      model.gr[n] = random.value()
      model.nat[n] = nats && random.chance(15)
    }
    for n in 0..<64 { model.pr[n] = n == 0 || random.chance(50) }
    let start = model
    var lines: [String] = []
    for _ in 0..<count {
      let instruction = make(&random)
      let qp = random.chance(60) ? 0 : random.number(1...63)
      lines.append((qp == 0 ? "" : "(p\(qp < 10 ? "0" : "")\(qp)) ") + instruction.text)
      if model.pr[qp] { instruction.effect(&model) } else { instruction.otherwise(&model) }
    }
    let machine = try TestMachine(lines.joined(separator: "\n"), sourceLocation: sourceLocation)
    for n in 1..<48 {
      machine[gr: n] = start.gr[n]
      machine[nat: UInt8(n)] = start.nat[n]
    }
    for n in 1..<64 { machine[pr: n] = start.pr[n] }
    let outcome = machine.run()
    #expect(outcome == .done, "\(name), seed \(OperandSource.seed)", sourceLocation: sourceLocation)
    var wrong: [String] = []
    for n in 0..<48 where machine[nat: UInt8(n)] != model.nat[n] || !model.nat[n] && machine[gr: n] != model.gr[n] {
      let (got, expected) = (String(machine[gr: n], radix: 16), String(model.gr[n], radix: 16))
      wrong.append("r\(n) is \(got) NaT \(machine[nat: UInt8(n)]), should be \(expected) NaT \(model.nat[n])")
    }
    for n in 0..<64 where machine[pr: n] != model.pr[n] { wrong.append("p\(n) should be \(model.pr[n])") }
    if !wrong.isEmpty {
      Issue.record(
        "\(name), seed \(OperandSource.seed) round \(round):\n\(wrong.prefix(4).joined(separator: "\n"))\n\(lines.joined(separator: "\n"))",
        sourceLocation: sourceLocation)
    }
  }
}
