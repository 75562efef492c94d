import IA64

/// Random instructions from the instruction table: every row that does not lead out of the sandbox, with random operands.
struct RandomEncodings {
  /// Rows by unit.
  private let rows: [SlotUnit: [InstructionRow]]
  private let nop: [SlotUnit: UInt64]
  /// Bundles of the program, for the targets of branches.
  let length: Int

  init(length: Int) throws {
    self.length = length
    var rows: [SlotUnit: [InstructionRow]] = [:]
    for unit in [SlotUnit.m, .i, .f, .b, .x] {
      rows[unit] = InstructionTable.rows.filter {
        $0.role == .instruction && $0.format.type.units.contains(unit) && Self.mayAppear($0)
      }
    }
    self.rows = rows
    nop = try Dictionary(
      uniqueKeysWithValues: [SlotUnit.m, .i, .f, .b, .x].map { unit in
        (unit, try Assembler.encode("nop.\(unit) 0", unit: unit).slot)
      })
  }

  /// Not: what redirects or unmaps the handlers, or takes the register stack elsewhere.
  private static func mayAppear(_ row: InstructionRow) -> Bool {
    switch row.operation {
    case .rfi, .vmsw, .movToCR, .movToIndirect, .itcD, .itcI, .itrD, .itrI, .ptrD, .ptrI, .ptcG, .ptcGA, .ptcE, .movToPSRL, .bsw0,
      .epc,
      .breakInstruction, .brIA:
      false
    default: true
    }
  }

  /// A bundle at index `place`.
  func bundle(at place: Int, _ random: inout OperandSource) -> Bundle {
    // A constant address for a base register, in a bundle of its own, so that references find the sandbox.
    if random.chance(12), let movl = base(&random) { return movl }
    let templates = Template.all.filter { !$0.isReserved }
    let template = random.pick(templates)
    if template.isLong {
      let first = slot(.m, 0, place, &random)
      var long = random.bits() & Bundle.slotMask
      let x = slot(.x, 1, place, &random, long: &long)
      return Bundle(template: template.number, slots: (first, long, x))
    }
    let slots = (0..<3).map { index in slot(template.unit(index) ?? .m, index, place, &random) }
    return Bundle(template: template.number, slots: (slots[0], slots[1], slots[2]))
  }

  private func base(_ random: inout OperandSource) -> Bundle? {
    let register = random.number(2...7)
    // Region 1 holds the data; region 0 the code, which stores change now and then.
    let data: UInt64 = 1 << 61 | UInt64(random.number(0...0xFFF)) << 4
    let address = random.chance(4) ? TestMachine.code + UInt64(random.number(0...length - 1)) * 16 : data
    return try? Assembler.bundle("mlx", ["nop.m 0", "movl r\(register)=0x\(String(address, radix: 16)) ;;"])
  }

  private func slot(_ unit: SlotUnit, _ index: Int, _ place: Int, _ random: inout OperandSource) -> UInt64 {
    var long: UInt64 = 0
    return slot(unit, index, place, &random, long: &long)
  }

  private func slot(_ unit: SlotUnit, _ index: Int, _ place: Int, _ random: inout OperandSource, long: inout UInt64) -> UInt64 {
    guard let row = rows[unit].map({ random.pick($0) }), !random.chance(15) else { return nop[unit] ?? 0 }
    var bits = row.value | random.bits() & Bundle.slotMask & ~row.mask
    func set(_ value: Int, _ low: UInt64, _ width: UInt64) {
      let field = ((UInt64(1) << width) - 1) << low
      guard row.mask & field == 0 else { return }
      bits = bits & ~field | UInt64(bitPattern: Int64(value)) << low & field
    }
    if random.chance(55) { set(0, 0, 6) }
    let operands = row.operands
    let writesMemory = operands.contains(.mr3)
    if operands.prefix(row.outputs).contains(.r1) { set(random.number(8...127), 6, 7) }
    if writesMemory {
      set(random.number(2...7), 20, 7)
      // An increment from a register is mostly none.
      if operands.contains(.r2), row.attributes.update == .register { set(random.chance(80) ? 0 : random.number(8...11), 13, 7) }
    }
    // Branches go to a bundle of the program.
    let distance = random.number(0...length - 1) - place
    if operands.contains(.target25) { split(distance, [(20, 13), (1, 36)], &bits) }
    if operands.contains(.target25Check) { split(distance, [(7, 6), (13, 20), (1, 36)], &bits) }
    if operands.contains(.target25Fchkf) { split(distance, [(20, 6), (1, 36)], &bits) }
    if operands.contains(.target64) {
      split(distance, [(20, 13)], &bits)
      split(distance < 0 ? 1 : 0, [(1, 36)], &bits)
      long = distance < 0 ? Bundle.slotMask & ~3 : 0
    }
    switch row.operation {
    case .ssm, .rsm:
      // The parts of PSR that a program may play with: be, ac, dfl, dfh, i, ss, tb, and a few more.
      let playable = [1, 3, 4, 5, 14, 18, 19, 21, 25].filter { _ in random.chance(20) }.reduce(0) { $0 | 1 << $1 }
      split(playable, [(21, 6), (2, 31), (1, 36)], &bits)
    case .sum, .rum: split(random.number(0...31) << 1, [(21, 6), (2, 31), (1, 36)], &bits)
    case .movToAR, .movToARImmediate:
      // Not BSPSTORE and RSC.
      if bits >> 20 & 0x7F == 18 || bits >> 20 & 0x7F == 16 { return nop[unit] ?? 0 }
    case .alloc:
      let sof = random.number(60...96)
      set(sof, 13, 7)
      set(random.number(0...sof), 20, 7)
      set(random.chance(70) ? 0 : random.number(0...sof / 8), 27, 4)
    default: break
    }
    return bits
  }

  /// Distributes a number over fields, the low bits first.
  private func split(_ value: Int, _ parts: [(width: UInt64, low: UInt64)], _ bits: inout UInt64) {
    var rest = UInt64(bitPattern: Int64(value))
    for part in parts {
      let mask: UInt64 = (1 << part.width) - 1
      bits = bits & ~(mask << part.low) | (rest & mask) << part.low
      rest >>= part.width
    }
  }
}
