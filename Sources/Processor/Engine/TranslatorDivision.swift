import IA64

extension Translator {
  /// A division whose steps are being translated.
  struct OpenDivision {
    var search: DivisionSearch
    /// Index of `frcpa`.
    var start: Int
    /// Micro-operations that are none of its steps.
    var others: [Range<Int>] = []
    private var lastIsStep = true

    init(search: DivisionSearch, start: Int) { (self.search, self.start) = (search, start) }

    /// Whether the instruction is a step and follows one, or neither: steps and others are not skipped together.
    mutating func goesOn(_ i: Instruction) -> Bool {
      let isStep = i.operation == .fma || i.operation == .fnma
      defer { lastIsStep = isStep }
      return isStep == lastIsStep
    }
  }

  /// Before an instruction of a division is translated.
  @inline(never) mutating func separateSteps(_ i: Instruction) { if division?.goesOn(i) == false { forgetLast() } }

  /// An instruction that has been translated to what begins at `start`, behind the beginning of an issue group, if one is at `groupStart`.
  @inline(never)
  mutating func followDivision(_ i: Instruction, _ position: UInt8, groupStart: Int, start: Int, _ flow: Flow) {
    guard specialisations.contains(.divisions), !exact, flow == .next else {
      division = nil
      return
    }
    if let search = DivisionSearch(i, position: position, doubles: specialisations.computesOnHost) {
      division = OpenDivision(search: search, start: start)
      return
    }
    guard division != nil else { return }
    // Groups begin in both ways through the division.
    if groupStart < start { division?.others.append(groupStart..<start) }
    switch division?.search.take(i) {
    case .step: break
    case .other: if start < count { division?.others.append(start..<count) }
    case .quotient(let operation, let plan): divide(operation, plan)
    case .failure, nil: division = nil
    }
  }

  /// The steps of a division have been translated: the division comes in front of them, what else stood between them a second time behind them.
  private mutating func divide(_ operation: MicroOp, _ plan: HostDivision.Plan) {
    guard let found = division else { return }
    division = nil
    let others = found.others.flatMap { $0.map { operations[$0] } }
    guard count + others.count + 3 <= Self.maximumOperations - 16 else { return }
    let steps = (found.start..<count).map { operations[$0] }
    count = found.start
    var operation = operation
    operation.imm = Int64(steps.count + (others.isEmpty ? 0 : 1))
    append(operation)
    UnsafeMutableRawPointer(operations + count).storeBytes(of: plan, as: HostDivision.Plan.self)
    count += 1
    steps.forEach { append($0) }
    if !others.isEmpty {
      append(MicroOp(.skipUnless, operation.position, a: ProcessorState.clearPredicate, imm: Int64(others.count)))
      others.forEach { append($0) }
    }
    forgetLast()
  }
}
