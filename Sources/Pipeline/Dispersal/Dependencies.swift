import IA64

/// Which registers an instruction reads and writes, from the operands of its row in the instruction table.
struct Dependencies {
  struct Read {
    var code: UInt16
    var consumer: Consumer
  }
  var reads: [Read] = []
  var writes: [UInt16] = []
  /// Base register of a memory instruction that it also updates.
  var updatesBase: UInt8?

  init(_ i: Instruction, _ kind: InstructionClass) {
    let row = InstructionTable.rows[i.row]
    let consumer = Dependencies.consumer(kind)
    for (index, operand) in row.operands.enumerated() {
      let written = index < row.outputs
      switch operand {
      case .r1: add(RegisterCode.general, i.r1, written, consumer)
      case .r2: add(RegisterCode.general, i.r2, written, kind == .store || kind == .semaphore ? .storeData : consumer)
      case .r3: add(RegisterCode.general, i.r3, written, consumer)
      case .r3Short: add(RegisterCode.general, i.r3Short, written, consumer)
      case .f1: add(RegisterCode.float, i.f1, written, consumer)
      case .f2: add(RegisterCode.float, i.f2, written, consumer)
      case .f3: add(RegisterCode.float, i.f3, written, consumer)
      case .f4: add(RegisterCode.float, i.f4, written, consumer)
      case .p1: add(RegisterCode.predicate, i.p1, true, consumer)
      case .p2: add(RegisterCode.predicate, i.p2, true, consumer)
      case .b1: add(RegisterCode.branch, i.b1, written, .branch)
      case .b2: add(RegisterCode.branch, i.b2, written, .branch)
      case .ar3: add(RegisterCode.application, i.ar3, written, consumer)
      case .cr3: if written { writes.append(RegisterCode.system) }
      case .mr3:
        add(RegisterCode.general, i.r3, false, .address)
        if i.attributes.update != .none { updatesBase = i.r3 }
      case .rr, .dbr, .ibr, .pkr, .pmc, .pmd, .cpuid, .itr, .dtr: add(RegisterCode.general, i.r3, false, consumer)
      default: break
      }
    }
    // What the assembler's operands do not name.
    switch i.operation {
    case .compareExchange: reads.append(Read(code: RegisterCode.application + 32, consumer: .integer))
    case .loadFill, .storeSpill: reads.append(Read(code: RegisterCode.application + 36, consumer: .integer))
    case .brRet: reads.append(Read(code: RegisterCode.application + 64, consumer: .branch))
    case .alloc:
      reads.append(Read(code: RegisterCode.application + 64, consumer: .integer))
    case .rfi, .srlzD, .srlzI: reads.append(Read(code: RegisterCode.system, consumer: .integer))
    case .itcD, .itcI, .itrD, .itrI: reads.append(Read(code: RegisterCode.system, consumer: .integer))
    default: break
    }
    reads.removeAll { $0.code == 0 || $0.code == RegisterCode.float || $0.code == RegisterCode.float + 1 }
  }

  private mutating func add(_ file: UInt16, _ number: UInt8, _ written: Bool, _ consumer: Consumer) {
    if file == RegisterCode.predicate && number == 0 { return }
    let code = file + UInt16(number)
    if written { writes.append(code) } else { reads.append(Read(code: code, consumer: consumer)) }
  }

  private static func consumer(_ kind: InstructionClass) -> Consumer {
    switch kind {
    case .multimediaALU, .multimedia, .multimediaMultiply, .popcnt: .multimedia
    case .setf: .setf
    case .getf: .getf
    case .floatStore: .floatStore
    case .fma, .floatMiscellaneous, .floatConvert, .floatCompare, .floatParallel: .float
    default: .integer
    }
  }
}

extension Instruction {
  /// The branch's `wh` completer, bits 34:33.
  var whether: UInt8 { UInt8(truncatingIfNeeded: encoding >> 33 & 3) }
}
