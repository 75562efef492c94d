import Arithmetic
import IA64

/// Why the block loop came back.
enum LoopExit {
  /// The slot limit is reached (or was set to 0); IP and PSR.ri name the next instruction. `takenBranch` says how it got there.
  case limit(takenBranch: Bool)
  /// The next block needs the stepper: out-of-frame target or disabled FP registers.
  case step
  /// The machine must be looked at (PSR, NaT, frame, translations); IP and PSR.ri are set.
  case attention(takenBranch: Bool)
  /// The same after rfi or a firmware gate, which take no traps.
  case jumped
  /// The bundle at IP cannot be fetched; `state.pointee.fault` says why.
  case fetchFault
  case fault(position: UInt64)
  case trap(position: UInt64, takenBranch: Bool)
}

extension LogicalProcessor {
  /// Runs blocks from `first` on, until something needs a look.
  ///
  /// One switch over an exhaustive enumeration; operands are read in each case; nothing here retains, allocates or checks bounds.
  /// During the loop IP holds the address of the running block and PSR.ri is zero.
  @inline(never)
  func runBlocks(_ first: UnsafeMutablePointer<Block>) -> LoopExit {
    let s = state
    let e = engine
    let gr = s.gr
    let pr = s.pr
    let br = s.br
    let gate = EngineContext.gateWord(e)
    var block = first
    var ip = s.pointee.ip
    var target: UInt64 = 0
    s.pointee.psr &= ~PSR.riMask

    nextBlock: while true {
      // Entry of `block` at address `ip`.
      let retired = s.pointee.instructions
      if retired >= e.pointee.limit {
        leave(ip, UInt64(block.pointee.startSlot))
        return .limit(takenBranch: true)
      }
      if (gate.pointee &- block.pointee.need) & EntryGate.exceeded != 0 && !mayEnter(block) {
        leave(ip, UInt64(block.pointee.startSlot))
        return .step
      }
      e.pointee.blockStart = retired &- UInt64(block.pointee.startSlot)
      s.pointee.ip = ip
      var op = Block.operations(block)

      inner: while true {
        taken: do {
          switch op.pointee.tag {
          // MARK: Control
          case .skipUnless:
            if pr[Int(op.pointee.a)] == 0 { op += Int(op.pointee.imm) }
          case .skipUnlessClearing:
            if pr[Int(op.pointee.a)] == 0 {
              pr[Int(op.pointee.d)] = 0
              pr[Int(op.pointee.c)] = 0
              op += Int(op.pointee.imm)
            }
          case .end:
            let position = UInt64(op.pointee.position)
            s.pointee.instructions = e.pointee.blockStart &+ position
            e.pointee.previousIP = ip
            e.pointee.previousPosition = position &- 1
            target = ip &+ position / 3 &* 16
            let link = UnsafeMutableRawPointer(op + 1).assumingMemoryBound(to: Link.self)
            if let next = link.pointee.block, next.pointee.valid {
              block = next
              ip = target
              continue nextBlock
            }
            if s.pointee.instructions >= e.pointee.limit {
              leave(target, position % 3)
              return .limit(takenBranch: false)
            }
            block = linkBlock(link, from: block, ip: ip, target: target, slot: position % 3)
            ip = target
            continue nextBlock
          case .endUnlinked:
            let position = UInt64(op.pointee.position)
            s.pointee.instructions = e.pointee.blockStart &+ position
            e.pointee.previousIP = ip
            e.pointee.previousPosition = position &- 1
            target = ip &+ position / 3 &* 16
            if s.pointee.instructions >= e.pointee.limit || position % 3 != 0 {
              leave(target, position % 3)
              return .limit(takenBranch: false)
            }
            break inner
          case .illegal:
            raise(.generalException, isr: GeneralException.illegalOperation)
            return stop(op, block)
          case .disabledFP:
            raise(.disabledFP, isr: UInt64(bitPattern: op.pointee.imm))
            return stop(op, block)
          case .issue:
            issueGroup(UnsafeRawPointer(block) + Int(op.pointee.imm), ip)
          case .general:
            e.pointee.position = UInt64(op.pointee.position)
            let result = general(op)
            if result != .next {
              if result == .branch {
                target = e.pointee.branchTarget
                retire(op, ip)
                if s.pointee.instructions >= e.pointee.limit {
                  leave(target, 0)
                  return .limit(takenBranch: true)
                }
                break inner
              }
              return leaveLoop(result, op, ip, block)
            }
            op += 1

          // MARK: Integer
          case .mov: gr[Int(op.pointee.d)] = gr[Int(op.pointee.a)]
          case .movImm: gr[Int(op.pointee.d)] = UInt64(bitPattern: op.pointee.imm)
          case .add: gr[Int(op.pointee.d)] = gr[Int(op.pointee.a)] &+ gr[Int(op.pointee.b)]
          case .addOne: gr[Int(op.pointee.d)] = gr[Int(op.pointee.a)] &+ gr[Int(op.pointee.b)] &+ 1
          case .sub: gr[Int(op.pointee.d)] = gr[Int(op.pointee.a)] &- gr[Int(op.pointee.b)]
          case .subOne: gr[Int(op.pointee.d)] = gr[Int(op.pointee.a)] &- gr[Int(op.pointee.b)] &- 1
          case .addImm: gr[Int(op.pointee.d)] = gr[Int(op.pointee.a)] &+ UInt64(bitPattern: op.pointee.imm)
          case .and: gr[Int(op.pointee.d)] = gr[Int(op.pointee.a)] & gr[Int(op.pointee.b)]
          case .andcm: gr[Int(op.pointee.d)] = gr[Int(op.pointee.a)] & ~gr[Int(op.pointee.b)]
          case .or: gr[Int(op.pointee.d)] = gr[Int(op.pointee.a)] | gr[Int(op.pointee.b)]
          case .xor: gr[Int(op.pointee.d)] = gr[Int(op.pointee.a)] ^ gr[Int(op.pointee.b)]
          case .subImm: gr[Int(op.pointee.d)] = UInt64(bitPattern: op.pointee.imm) &- gr[Int(op.pointee.b)]
          case .andImm: gr[Int(op.pointee.d)] = UInt64(bitPattern: op.pointee.imm) & gr[Int(op.pointee.b)]
          case .andcmImm: gr[Int(op.pointee.d)] = UInt64(bitPattern: op.pointee.imm) & ~gr[Int(op.pointee.b)]
          case .orImm: gr[Int(op.pointee.d)] = UInt64(bitPattern: op.pointee.imm) | gr[Int(op.pointee.b)]
          case .xorImm: gr[Int(op.pointee.d)] = UInt64(bitPattern: op.pointee.imm) ^ gr[Int(op.pointee.b)]
          case .shladd:
            gr[Int(op.pointee.d)] = gr[Int(op.pointee.a)] &<< UInt64(op.pointee.c) &+ gr[Int(op.pointee.b)]
          case .sxt1: gr[Int(op.pointee.d)] = UInt64(bitPattern: Int64(Int8(truncatingIfNeeded: gr[Int(op.pointee.a)])))
          case .sxt2: gr[Int(op.pointee.d)] = UInt64(bitPattern: Int64(Int16(truncatingIfNeeded: gr[Int(op.pointee.a)])))
          case .sxt4: gr[Int(op.pointee.d)] = UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: gr[Int(op.pointee.a)])))
          case .zxt1: gr[Int(op.pointee.d)] = gr[Int(op.pointee.a)] & 0xFF
          case .zxt2: gr[Int(op.pointee.d)] = gr[Int(op.pointee.a)] & 0xFFFF
          case .zxt4: gr[Int(op.pointee.d)] = gr[Int(op.pointee.a)] & 0xFFFF_FFFF
          case .shl:
            let n = gr[Int(op.pointee.b)]
            gr[Int(op.pointee.d)] = n > 63 ? 0 : gr[Int(op.pointee.a)] &<< n
          case .shru:
            let n = gr[Int(op.pointee.b)]
            gr[Int(op.pointee.d)] = n > 63 ? 0 : gr[Int(op.pointee.a)] &>> n
          case .shr:
            let n = min(gr[Int(op.pointee.b)], 63)
            gr[Int(op.pointee.d)] = UInt64(bitPattern: Int64(bitPattern: gr[Int(op.pointee.a)]) &>> Int64(bitPattern: n))
          case .extru:
            gr[Int(op.pointee.d)] = gr[Int(op.pointee.a)] &>> UInt64(op.pointee.c) & UInt64(bitPattern: op.pointee.imm)
          case .extr:
            let left = Int64(bitPattern: gr[Int(op.pointee.a)] &<< UInt64(op.pointee.c))
            gr[Int(op.pointee.d)] = UInt64(bitPattern: left &>> Int64(op.pointee.b))
          case .depZ:
            gr[Int(op.pointee.d)] = gr[Int(op.pointee.a)] &<< UInt64(op.pointee.c) & UInt64(bitPattern: op.pointee.imm)
          case .dep:
            let mask = UInt64(bitPattern: op.pointee.imm)
            gr[Int(op.pointee.d)] = gr[Int(op.pointee.a)] &<< UInt64(op.pointee.c) & mask | gr[Int(op.pointee.b)] & ~mask
          case .shrp:
            let n = UInt64(op.pointee.c)
            let low = gr[Int(op.pointee.b)]
            gr[Int(op.pointee.d)] = n == 0 ? low : low &>> n | gr[Int(op.pointee.a)] &<< (64 &- n)

          // MARK: Compares
          case .cmpEq: setPair(pr, op, gr[Int(op.pointee.a)] == gr[Int(op.pointee.b)])
          case .cmpLt:
            setPair(pr, op, Int64(bitPattern: gr[Int(op.pointee.a)]) < Int64(bitPattern: gr[Int(op.pointee.b)]))
          case .cmpLtu: setPair(pr, op, gr[Int(op.pointee.a)] < gr[Int(op.pointee.b)])
          case .cmpEqImm: setPair(pr, op, UInt64(bitPattern: op.pointee.imm) == gr[Int(op.pointee.b)])
          case .cmpLtImm: setPair(pr, op, op.pointee.imm < Int64(bitPattern: gr[Int(op.pointee.b)]))
          case .cmpLtuImm: setPair(pr, op, UInt64(bitPattern: op.pointee.imm) < gr[Int(op.pointee.b)])
          case .cmp4Eq: setPair(pr, op, low(gr, op.pointee.a) == low(gr, op.pointee.b))
          case .cmp4Lt:
            setPair(pr, op, Int32(bitPattern: low(gr, op.pointee.a)) < Int32(bitPattern: low(gr, op.pointee.b)))
          case .cmp4Ltu: setPair(pr, op, low(gr, op.pointee.a) < low(gr, op.pointee.b))
          case .cmp4EqImm: setPair(pr, op, UInt32(truncatingIfNeeded: op.pointee.imm) == low(gr, op.pointee.b))
          case .cmp4LtImm:
            setPair(pr, op, Int32(truncatingIfNeeded: op.pointee.imm) < Int32(bitPattern: low(gr, op.pointee.b)))
          case .cmp4LtuImm: setPair(pr, op, UInt32(truncatingIfNeeded: op.pointee.imm) < low(gr, op.pointee.b))
          case .cmpEqBr:
            if setPairFused(pr, op, gr[Int(op.pointee.a)] == gr[Int(op.pointee.b)]) { break taken }
            op += 3
            continue inner
          case .cmpLtBr:
            if setPairFused(pr, op, Int64(bitPattern: gr[Int(op.pointee.a)]) < Int64(bitPattern: gr[Int(op.pointee.b)])) {
              break taken
            }
            op += 3
            continue inner
          case .cmpLtuBr:
            if setPairFused(pr, op, gr[Int(op.pointee.a)] < gr[Int(op.pointee.b)]) { break taken }
            op += 3
            continue inner
          case .cmpEqImmBr:
            if setPairFused(pr, op, UInt64(bitPattern: op.pointee.imm) == gr[Int(op.pointee.b)]) { break taken }
            op += 3
            continue inner
          case .cmpLtImmBr:
            if setPairFused(pr, op, op.pointee.imm < Int64(bitPattern: gr[Int(op.pointee.b)])) { break taken }
            op += 3
            continue inner
          case .cmpLtuImmBr:
            if setPairFused(pr, op, UInt64(bitPattern: op.pointee.imm) < gr[Int(op.pointee.b)]) { break taken }
            op += 3
            continue inner
          case .cmp4EqBr:
            if setPairFused(pr, op, low(gr, op.pointee.a) == low(gr, op.pointee.b)) { break taken }
            op += 3
            continue inner
          case .cmp4LtBr:
            if setPairFused(pr, op, Int32(bitPattern: low(gr, op.pointee.a)) < Int32(bitPattern: low(gr, op.pointee.b))) {
              break taken
            }
            op += 3
            continue inner
          case .cmp4LtuBr:
            if setPairFused(pr, op, low(gr, op.pointee.a) < low(gr, op.pointee.b)) { break taken }
            op += 3
            continue inner
          case .cmp4EqImmBr:
            if setPairFused(pr, op, UInt32(truncatingIfNeeded: op.pointee.imm) == low(gr, op.pointee.b)) { break taken }
            op += 3
            continue inner
          case .cmp4LtImmBr:
            if setPairFused(pr, op, Int32(truncatingIfNeeded: op.pointee.imm) < Int32(bitPattern: low(gr, op.pointee.b))) {
              break taken
            }
            op += 3
            continue inner
          case .cmp4LtuImmBr:
            if setPairFused(pr, op, UInt32(truncatingIfNeeded: op.pointee.imm) < low(gr, op.pointee.b)) { break taken }
            op += 3
            continue inner
          case .tbitBr:
            let bit = UInt8(truncatingIfNeeded: gr[Int(op.pointee.a)] &>> UInt64(op.pointee.c) & 1)
            pr[Int(op.pointee.d)] = bit
            pr[Int(op.pointee.b)] = bit ^ 1
            if bit == op.pointee.e { break taken }
            op += 3
            continue inner
          case .cmpParallel: parallelCompare(op, gr[Int(op.pointee.a)])
          case .cmpParallelImm: parallelCompare(op, UInt64(bitPattern: op.pointee.imm))
          case .tbit:
            let bit = UInt8(truncatingIfNeeded: gr[Int(op.pointee.a)] &>> UInt64(op.pointee.c) & 1)
            pr[Int(op.pointee.d)] = bit
            pr[Int(op.pointee.b)] = bit ^ 1

          // MARK: Moves
          case .movFromBR: gr[Int(op.pointee.d)] = br[Int(op.pointee.a)]
          case .movToBR: br[Int(op.pointee.d)] = gr[Int(op.pointee.a)]

          case .movFromARPlain: gr[Int(op.pointee.d)] = s.ar[Int(op.pointee.a)]
          case .movToARPlain: s.ar[Int(op.pointee.d)] = gr[Int(op.pointee.a)]
          case .movToPFS:
            // Without rotation there is little to check: reserved fields and rotation zero, sol <= sof <= 96.
            let value = gr[Int(op.pointee.a)]
            if value & 0x3C0F_FFFF_FFFF_C000 == 0 && value >> 7 & 0x7F <= value & 0x7F && value & 0x7F <= 96 {
              s.ar[AR.pfs] = value
            } else {
              let result = general(op)
              if result != .next { return leaveLoop(result, op, ip, block) }
            }
            op += 1
          case .alloc:
            let sof = Int(op.pointee.imm & 0xFF)
            let sor = Int(op.pointee.imm >> 16 & 0xFF)
            let room = 96 &- sof &- s.pointee.dirty
            if sor == s.pointee.sor && room >= 0 {
              if s.pointee.clean > room { s.pointee.clean = room }
              s.pointee.sof = sof
              s.pointee.sol = Int(op.pointee.imm >> 8 & 0xFF)
              e.pointee.frameTop = UInt8(truncatingIfNeeded: 32 &+ sof)
              gr[Int(op.pointee.d)] = s.ar[AR.pfs]
            } else {
              e.pointee.position = UInt64(op.pointee.position)
              let result = general(op)
              if result != .next { return leaveLoop(result, op, ip, block) }
            }
            op += 1
          case .addp4:
            let r3 = gr[Int(op.pointee.b)]
            gr[Int(op.pointee.d)] = pointer4(gr[Int(op.pointee.a)] &+ r3, r3)
          case .addp4Imm:
            let r3 = gr[Int(op.pointee.b)]
            gr[Int(op.pointee.d)] = pointer4(UInt64(bitPattern: op.pointee.imm) &+ r3, r3)
          case .shladdp4:
            let r3 = gr[Int(op.pointee.b)]
            gr[Int(op.pointee.d)] = pointer4(gr[Int(op.pointee.a)] &<< UInt64(op.pointee.c) &+ r3, r3)
          case .mixHigh4:
            gr[Int(op.pointee.d)] = gr[Int(op.pointee.a)] & ~0xFFFF_FFFF | gr[Int(op.pointee.b)] &>> 32
          case .mixLow4:
            gr[Int(op.pointee.d)] = gr[Int(op.pointee.a)] &<< 32 | gr[Int(op.pointee.b)] & 0xFFFF_FFFF
          case .byteSwap: gr[Int(op.pointee.d)] = gr[Int(op.pointee.a)].byteSwapped
          case .popcnt: gr[Int(op.pointee.d)] = UInt64(truncatingIfNeeded: gr[Int(op.pointee.b)].nonzeroBitCount)

          // MARK: Memory
          case .ld8:
            let address = gr[Int(op.pointee.b)]
            let entry = e.pointee.dataTable + Int((address &>> 12) & SoftTLB.mask)
            if entry.pointee.readTag == address & (~0xFFF | 7) {
              gr[Int(op.pointee.d)] = hostPointer(address, entry).pointee
            } else {
              if !loadMiss(op, 8) { return stop(op, block) }
            }
          case .ld4:
            let address = gr[Int(op.pointee.b)]
            let entry = e.pointee.dataTable + Int((address &>> 12) & SoftTLB.mask)
            if entry.pointee.readTag == address & (~0xFFF | 3) {
              gr[Int(op.pointee.d)] = UInt64(UnsafeRawPointer(hostPointer(address, entry)).load(as: UInt32.self))
            } else {
              if !loadMiss(op, 4) { return stop(op, block) }
            }
          case .ld2:
            let address = gr[Int(op.pointee.b)]
            let entry = e.pointee.dataTable + Int((address &>> 12) & SoftTLB.mask)
            if entry.pointee.readTag == address & (~0xFFF | 1) {
              gr[Int(op.pointee.d)] = UInt64(UnsafeRawPointer(hostPointer(address, entry)).load(as: UInt16.self))
            } else {
              if !loadMiss(op, 2) { return stop(op, block) }
            }
          case .ld1:
            let address = gr[Int(op.pointee.b)]
            let entry = e.pointee.dataTable + Int((address &>> 12) & SoftTLB.mask)
            if entry.pointee.readTag == address & ~0xFFF {
              gr[Int(op.pointee.d)] = UInt64(UnsafeRawPointer(hostPointer(address, entry)).load(as: UInt8.self))
            } else {
              if !loadMiss(op, 1) { return stop(op, block) }
            }
          case .st8:
            let address = gr[Int(op.pointee.b)]
            let entry = e.pointee.dataTable + Int((address &>> 12) & SoftTLB.mask)
            if entry.pointee.writeTag == address & (~0xFFF | 7) && s.pointee.alat.filter == 0 {
              hostPointer(address, entry).pointee = gr[Int(op.pointee.a)]
            } else {
              if !storeMiss(op, 8) { return stop(op, block) }
            }
          case .st4:
            let address = gr[Int(op.pointee.b)]
            let entry = e.pointee.dataTable + Int((address &>> 12) & SoftTLB.mask)
            if entry.pointee.writeTag == address & (~0xFFF | 3) && s.pointee.alat.filter == 0 {
              UnsafeMutableRawPointer(hostPointer(address, entry)).storeBytes(
                of: UInt32(truncatingIfNeeded: gr[Int(op.pointee.a)]), as: UInt32.self)
            } else {
              if !storeMiss(op, 4) { return stop(op, block) }
            }
          case .st2:
            let address = gr[Int(op.pointee.b)]
            let entry = e.pointee.dataTable + Int((address &>> 12) & SoftTLB.mask)
            if entry.pointee.writeTag == address & (~0xFFF | 1) && s.pointee.alat.filter == 0 {
              UnsafeMutableRawPointer(hostPointer(address, entry)).storeBytes(
                of: UInt16(truncatingIfNeeded: gr[Int(op.pointee.a)]), as: UInt16.self)
            } else {
              if !storeMiss(op, 2) { return stop(op, block) }
            }
          case .st1:
            let address = gr[Int(op.pointee.b)]
            let entry = e.pointee.dataTable + Int((address &>> 12) & SoftTLB.mask)
            if entry.pointee.writeTag == address & ~0xFFF && s.pointee.alat.filter == 0 {
              UnsafeMutableRawPointer(hostPointer(address, entry)).storeBytes(
                of: UInt8(truncatingIfNeeded: gr[Int(op.pointee.a)]), as: UInt8.self)
            } else {
              if !storeMiss(op, 1) { return stop(op, block) }
            }
          case .ld8Inc:
            let address = gr[Int(op.pointee.b)]
            let entry = e.pointee.dataTable + Int((address &>> 12) & SoftTLB.mask)
            if entry.pointee.readTag == address & (~0xFFF | 7) {
              gr[Int(op.pointee.d)] = hostPointer(address, entry).pointee
            } else {
              if !loadMiss(op, 8) { return stop(op, block) }
            }
            gr[Int(op.pointee.b)] &+= UInt64(bitPattern: op.pointee.imm)
          case .ld4Inc:
            let address = gr[Int(op.pointee.b)]
            let entry = e.pointee.dataTable + Int((address &>> 12) & SoftTLB.mask)
            if entry.pointee.readTag == address & (~0xFFF | 3) {
              gr[Int(op.pointee.d)] = UInt64(UnsafeRawPointer(hostPointer(address, entry)).load(as: UInt32.self))
            } else {
              if !loadMiss(op, 4) { return stop(op, block) }
            }
            gr[Int(op.pointee.b)] &+= UInt64(bitPattern: op.pointee.imm)
          case .ld2Inc:
            let address = gr[Int(op.pointee.b)]
            let entry = e.pointee.dataTable + Int((address &>> 12) & SoftTLB.mask)
            if entry.pointee.readTag == address & (~0xFFF | 1) {
              gr[Int(op.pointee.d)] = UInt64(UnsafeRawPointer(hostPointer(address, entry)).load(as: UInt16.self))
            } else {
              if !loadMiss(op, 2) { return stop(op, block) }
            }
            gr[Int(op.pointee.b)] &+= UInt64(bitPattern: op.pointee.imm)
          case .ld1Inc:
            let address = gr[Int(op.pointee.b)]
            let entry = e.pointee.dataTable + Int((address &>> 12) & SoftTLB.mask)
            if entry.pointee.readTag == address & ~0xFFF {
              gr[Int(op.pointee.d)] = UInt64(UnsafeRawPointer(hostPointer(address, entry)).load(as: UInt8.self))
            } else {
              if !loadMiss(op, 1) { return stop(op, block) }
            }
            gr[Int(op.pointee.b)] &+= UInt64(bitPattern: op.pointee.imm)
          case .st8Inc:
            let address = gr[Int(op.pointee.b)]
            let entry = e.pointee.dataTable + Int((address &>> 12) & SoftTLB.mask)
            if entry.pointee.writeTag == address & (~0xFFF | 7) && s.pointee.alat.filter == 0 {
              hostPointer(address, entry).pointee = gr[Int(op.pointee.a)]
            } else {
              if !storeMiss(op, 8) { return stop(op, block) }
            }
            gr[Int(op.pointee.b)] &+= UInt64(bitPattern: op.pointee.imm)
          case .st4Inc:
            let address = gr[Int(op.pointee.b)]
            let entry = e.pointee.dataTable + Int((address &>> 12) & SoftTLB.mask)
            if entry.pointee.writeTag == address & (~0xFFF | 3) && s.pointee.alat.filter == 0 {
              UnsafeMutableRawPointer(hostPointer(address, entry)).storeBytes(
                of: UInt32(truncatingIfNeeded: gr[Int(op.pointee.a)]), as: UInt32.self)
            } else {
              if !storeMiss(op, 4) { return stop(op, block) }
            }
            gr[Int(op.pointee.b)] &+= UInt64(bitPattern: op.pointee.imm)
          case .st2Inc:
            let address = gr[Int(op.pointee.b)]
            let entry = e.pointee.dataTable + Int((address &>> 12) & SoftTLB.mask)
            if entry.pointee.writeTag == address & (~0xFFF | 1) && s.pointee.alat.filter == 0 {
              UnsafeMutableRawPointer(hostPointer(address, entry)).storeBytes(
                of: UInt16(truncatingIfNeeded: gr[Int(op.pointee.a)]), as: UInt16.self)
            } else {
              if !storeMiss(op, 2) { return stop(op, block) }
            }
            gr[Int(op.pointee.b)] &+= UInt64(bitPattern: op.pointee.imm)
          case .st1Inc:
            let address = gr[Int(op.pointee.b)]
            let entry = e.pointee.dataTable + Int((address &>> 12) & SoftTLB.mask)
            if entry.pointee.writeTag == address & ~0xFFF && s.pointee.alat.filter == 0 {
              UnsafeMutableRawPointer(hostPointer(address, entry)).storeBytes(
                of: UInt8(truncatingIfNeeded: gr[Int(op.pointee.a)]), as: UInt8.self)
            } else {
              if !storeMiss(op, 1) { return stop(op, block) }
            }
            gr[Int(op.pointee.b)] &+= UInt64(bitPattern: op.pointee.imm)
          case .ld8Fill:
            e.pointee.position = UInt64(op.pointee.position)
            let result = loadFill(op.pointee)
            if result != .next { return leaveLoop(result, op, ip, block) }
          case .st8Spill:
            e.pointee.position = UInt64(op.pointee.position)
            if storeSpill(op.pointee) != .next { return stop(op, block) }
          case .loadSpecial:
            e.pointee.position = UInt64(op.pointee.position)
            let result = loadSpecial(op.pointee)
            if result != .next { return leaveLoop(result, op, ip, block) }
          case .loadFP:
            e.pointee.position = UInt64(op.pointee.position)
            if loadFP(op.pointee) != .next { return stop(op, block) }
          case .storeFP:
            e.pointee.position = UInt64(op.pointee.position)
            if storeFP(op.pointee) != .next { return stop(op, block) }
          case .setfSig:
            s.f(op.pointee.d).pointee = FloatRegister(significand: gr[Int(op.pointee.a)], signExponent: 0x1003E)
            s.pointee.psr |= op.pointee.d < 32 ? PSR.mfl : PSR.mfh
          case .getfSig:
            let value = s.f(op.pointee.a)
            gr[Int(op.pointee.d)] = value.pointee.significand
            if value.pointee.isNaTVal {
              s.setNaT(op.pointee.d, true)
              return leaveLoop(.exit, op, ip, block)
            }

          // MARK: Branches
          case .br:
            target = ip &+ UInt64(bitPattern: op.pointee.imm)
            retire(op, ip)
            let link = UnsafeMutableRawPointer(op + 1).assumingMemoryBound(to: Link.self)
            if let next = link.pointee.block, next.pointee.valid {
              block = next
              ip = target
              continue nextBlock
            }
            if s.pointee.instructions >= e.pointee.limit {
              leave(target, 0)
              return .limit(takenBranch: true)
            }
            if (target ^ ip) >> 12 != 0 { break inner }
            block = linkBlock(link, from: block, ip: ip, target: target, slot: 0)
            ip = target
            continue nextBlock
          case .brIf:
            if pr[Int(op.pointee.a)] == 0 {
              op += 1
            } else {
              target = ip &+ UInt64(bitPattern: op.pointee.imm)
              retire(op, ip)
              let link = UnsafeMutableRawPointer(op + 1).assumingMemoryBound(to: Link.self)
              if let next = link.pointee.block, next.pointee.valid {
                block = next
                ip = target
                continue nextBlock
              }
              if s.pointee.instructions >= e.pointee.limit {
                leave(target, 0)
                return .limit(takenBranch: true)
              }
              if (target ^ ip) >> 12 != 0 { break inner }
              block = linkBlock(link, from: block, ip: ip, target: target, slot: 0)
              ip = target
              continue nextBlock
            }
          case .brCall:
            target = ip &+ UInt64(bitPattern: op.pointee.imm)
            call(op, ip)
            retire(op, ip)
            if s.pointee.instructions >= e.pointee.limit {
              leave(target, 0)
              return .limit(takenBranch: true)
            }
            if (target ^ ip) >> 12 != 0 { break inner }
            let link = UnsafeMutableRawPointer(op + 1).assumingMemoryBound(to: Link.self)
            if let next = link.pointee.block, next.pointee.valid {
              block = next
            } else {
              block = linkBlock(link, from: block, ip: ip, target: target, slot: 0)
            }
            ip = target
            continue nextBlock
          case .brIndirect:
            target = br[Int(op.pointee.a)] & ~0xF
            retire(op, ip)
            if s.pointee.instructions >= e.pointee.limit {
              leave(target, 0)
              return .limit(takenBranch: true)
            }
            break inner
          case .brCallIndirect:
            target = br[Int(op.pointee.a)] & ~0xF
            call(op, ip)
            retire(op, ip)
            if s.pointee.instructions >= e.pointee.limit {
              leave(target, 0)
              return .limit(takenBranch: true)
            }
            break inner
          case .brRet:
            target = br[Int(op.pointee.a)] & ~0xF
            retire(op, ip)
            let plain = returnFrame()
            if !plain || s.pointee.instructions >= e.pointee.limit {
              leave(target, 0)
              return plain ? .limit(takenBranch: true) : returnNeedsAttention(op)
            }
            break inner
          case .brCloop:
            if s.ar[AR.lc] == 0 {
              op += 1
            } else {
              s.ar[AR.lc] &-= 1
              target = ip &+ UInt64(bitPattern: op.pointee.imm)
              retire(op, ip)
              let link = UnsafeMutableRawPointer(op + 1).assumingMemoryBound(to: Link.self)
              if let next = link.pointee.block, next.pointee.valid {
                block = next
                ip = target
                continue nextBlock
              }
              if s.pointee.instructions >= e.pointee.limit {
                leave(target, 0)
                return .limit(takenBranch: true)
              }
              if (target ^ ip) >> 12 != 0 { break inner }
              block = linkBlock(link, from: block, ip: ip, target: target, slot: 0)
              ip = target
              continue nextBlock
            }
          case .loopIf:
            if pr[Int(op.pointee.a)] == 0 {
              op += 1
            } else {
              guard again(op, ip, block) else {
                leave(ip, 0)
                return .limit(takenBranch: true)
              }
              op = Block.operations(block)
              continue inner
            }
          case .loopCloop:
            if s.ar[AR.lc] == 0 {
              op += 1
            } else {
              s.ar[AR.lc] &-= 1
              guard again(op, ip, block) else {
                leave(ip, 0)
                return .limit(takenBranch: true)
              }
              op = Block.operations(block)
              continue inner
            }
          case .brRotate:
            if !rotateAndBranch(op.pointee) {
              op += 1
            } else {
              target = ip &+ UInt64(bitPattern: op.pointee.imm)
              retire(op, ip)
              let link = UnsafeMutableRawPointer(op + 1).assumingMemoryBound(to: Link.self)
              if let next = link.pointee.block, next.pointee.valid {
                block = next
                ip = target
                continue nextBlock
              }
              if s.pointee.instructions >= e.pointee.limit {
                leave(target, 0)
                return .limit(takenBranch: true)
              }
              if (target ^ ip) >> 12 != 0 { break inner }
              block = linkBlock(link, from: block, ip: ip, target: target, slot: 0)
              ip = target
              continue nextBlock
            }

          // MARK: Floating point
          case .fma:
            if let exit = unusualMultiplyAdd(op, ip, block) { return exit }
          case .fmaExtended:
            if !OrdinaryMultiplyAdd.fmaExtended(s, op), let exit = unusualMultiplyAdd(op, ip, block) { return exit }
          case .fmsExtended:
            if !OrdinaryMultiplyAdd.fmsExtended(s, op), let exit = unusualMultiplyAdd(op, ip, block) { return exit }
          case .fnmaExtended:
            if !OrdinaryMultiplyAdd.fnmaExtended(s, op), let exit = unusualMultiplyAdd(op, ip, block) { return exit }
          case .fmpyExtended:
            if !OrdinaryMultiplyAdd.fmpyExtended(s, op), let exit = unusualMultiplyAdd(op, ip, block) { return exit }
          case .fmaDouble:
            if !OrdinaryMultiplyAdd.fmaDouble(s, op), let exit = unusualMultiplyAdd(op, ip, block) { return exit }
          case .fmsDouble:
            if !OrdinaryMultiplyAdd.fmsDouble(s, op), let exit = unusualMultiplyAdd(op, ip, block) { return exit }
          case .fnmaDouble:
            if !OrdinaryMultiplyAdd.fnmaDouble(s, op), let exit = unusualMultiplyAdd(op, ip, block) { return exit }
          case .fmpyDouble:
            if !OrdinaryMultiplyAdd.fmpyDouble(s, op), let exit = unusualMultiplyAdd(op, ip, block) { return exit }
          case .fnormExtended:
            if !OrdinaryMultiplyAdd.fnormExtended(s, op), let exit = unusualMultiplyAdd(op, ip, block) { return exit }
          case .fnormDouble:
            if !OrdinaryMultiplyAdd.fnormDouble(s, op), let exit = unusualMultiplyAdd(op, ip, block) { return exit }
          case .fmaSingle:
            if !OrdinaryMultiplyAdd.fmaSingle(s, op), let exit = unusualMultiplyAdd(op, ip, block) { return exit }
          case .fmaExtendedRotating:
            if !OrdinaryMultiplyAdd.fmaExtendedRotating(s, op), let exit = unusualMultiplyAdd(op, ip, block) { return exit }
          case .fmsExtendedRotating:
            if !OrdinaryMultiplyAdd.fmsExtendedRotating(s, op), let exit = unusualMultiplyAdd(op, ip, block) { return exit }
          case .fnmaExtendedRotating:
            if !OrdinaryMultiplyAdd.fnmaExtendedRotating(s, op), let exit = unusualMultiplyAdd(op, ip, block) { return exit }
          case .fmpyExtendedRotating:
            if !OrdinaryMultiplyAdd.fmpyExtendedRotating(s, op), let exit = unusualMultiplyAdd(op, ip, block) { return exit }
          case .fmaDoubleRotating:
            if !OrdinaryMultiplyAdd.fmaDoubleRotating(s, op), let exit = unusualMultiplyAdd(op, ip, block) { return exit }
          case .fmsDoubleRotating:
            if !OrdinaryMultiplyAdd.fmsDoubleRotating(s, op), let exit = unusualMultiplyAdd(op, ip, block) { return exit }
          case .fnmaDoubleRotating:
            if !OrdinaryMultiplyAdd.fnmaDoubleRotating(s, op), let exit = unusualMultiplyAdd(op, ip, block) { return exit }
          case .fmpyDoubleRotating:
            if !OrdinaryMultiplyAdd.fmpyDoubleRotating(s, op), let exit = unusualMultiplyAdd(op, ip, block) { return exit }
          case .xma: multiplyAddInteger(op.pointee)
          case .fcvtXF: convertFromInteger(op)
          case .fcvtFX:
            let result = convertToInteger(op)
            if result != .next { return leaveLoop(result, op, ip, block) }
          case .fmergeS:
            let sign = s.f(op.pointee.a)
            let value = s.f(op.pointee.b)
            s.f(op.pointee.d).pointee =
              sign.pointee.isNaTVal || value.pointee.isNaTVal
              ? .natVal : FloatArithmetic.mergeSign(sign.pointee, value.pointee, negate: false)
            s.pointee.psr |= op.pointee.d < 32 ? PSR.mfl : PSR.mfh
          case .frcpa:
            let result = reciprocal(op)
            op += 1
            if result != .next { return leaveLoop(result, op - 1, ip, block) }
          case .floating:
            let result = floating(op.pointee, UnsafeMutableRawPointer(op + 1).load(as: GeneralOperands.self))
            op += 1
            if result != .next {
              if result == .branch {
                target = e.pointee.branchTarget
                retire(op - 1, ip)
                if s.pointee.instructions >= e.pointee.limit {
                  leave(target, 0)
                  return .limit(takenBranch: true)
                }
                break inner
              }
              return leaveLoop(result, op - 1, ip, block)
            }
          }
          op += 1
          continue inner
        }

        // The branch behind a fused compare is taken.
        op += 1
        if op.pointee.tag == .loopIf {
          guard again(op, ip, block) else {
            leave(ip, 0)
            return .limit(takenBranch: true)
          }
          op = Block.operations(block)
          continue inner
        }
        target = ip &+ UInt64(bitPattern: op.pointee.imm)
        retire(op, ip)
        let link = UnsafeMutableRawPointer(op + 1).assumingMemoryBound(to: Link.self)
        if let next = link.pointee.block, next.pointee.valid {
          block = next
          ip = target
          continue nextBlock
        }
        if s.pointee.instructions >= e.pointee.limit {
          leave(target, 0)
          return .limit(takenBranch: true)
        }
        if (target ^ ip) >> 12 != 0 { break inner }
        block = linkBlock(link, from: block, ip: ip, target: target, slot: 0)
        ip = target
        continue nextBlock
      }

      // A transfer whose target is not linked: through the jump cache.
      if let next = findBlock(target) {
        block = next
        ip = target
      } else {
        leave(target, 0)
        return .fetchFault
      }
    }
  }

  // MARK: Small parts of the loop

  /// The precise form of the check at a block's entry, for frames and FP disable bits that fail the quick one.
  @inline(never) private func mayEnter(_ block: UnsafeMutablePointer<Block>) -> Bool {
    if block.pointee.need == Block.neverFits {
      debuggerEnters(block)
      return false
    }
    return block.pointee.highestTarget <= engine.pointee.frameTop && block.pointee.floatUse & engine.pointee.floatDisabled == 0
  }

  @inline(__always) private func setPair(_ pr: UnsafeMutablePointer<UInt8>, _ op: UnsafeMutablePointer<MicroOp>, _ result: Bool) {
    let bit: UInt8 = result ? 1 : 0
    pr[Int(op.pointee.d)] = bit
    pr[Int(op.pointee.c)] = bit ^ 1
  }

  /// Sets the pair and says whether the branch behind is taken.
  @inline(__always) private func setPairFused(
    _ pr: UnsafeMutablePointer<UInt8>, _ op: UnsafeMutablePointer<MicroOp>, _ result: Bool
  ) -> Bool {
    let bit: UInt8 = result ? 1 : 0
    pr[Int(op.pointee.d)] = bit
    pr[Int(op.pointee.c)] = bit ^ 1
    return bit == op.pointee.e
  }

  /// Result of the addp4 group: 32 bits, and the region of the 32-bit pointer `r3` (Volume 3, addp4).
  @inline(__always) private func pointer4(_ sum: UInt64, _ r3: UInt64) -> UInt64 { sum & 0xFFFF_FFFF | (r3 & 0xC000_0000) &<< 31 }

  @inline(__always) private func low(_ gr: UnsafeMutablePointer<UInt64>, _ n: UInt8) -> UInt32 {
    UInt32(truncatingIfNeeded: gr[Int(n)])
  }

  @inline(__always)
  private func hostPointer(_ address: UInt64, _ entry: UnsafeMutablePointer<SoftEntry>) -> UnsafeMutablePointer<UInt64> {
    UnsafeMutablePointer(bitPattern: Int(truncatingIfNeeded: address) &+ entry.pointee.addend).unsafelyUnwrapped
  }

  /// Tells the timing model of the group that comes now. A limit of time is looked at where a block begins.
  @inline(never) private func issueGroup(_ group: UnsafeRawPointer, _ ip: UInt64) {
    guard let timing = engine.pointee.timing else { return }
    if timing.issue(timing.context, group, ip) >= engine.pointee.cycleLimit { engine.pointee.limit = 0 }
  }

  /// Takes back the slots behind a taken branch, and remembers the branch for IIPA.
  @inline(__always) private func retire(_ op: UnsafeMutablePointer<MicroOp>, _ ip: UInt64) {
    let position = UInt64(op.pointee.position)
    // A branch in slot 1 of an MLX bundle (brl) retires both L and X.
    let e = engine
    state.pointee.instructions = e.pointee.blockStart &+ position &+ 1
    e.pointee.previousIP = ip
    e.pointee.previousPosition = position
  }

  /// A branch to the beginning of the running block is taken. False: the loop must stop, at its first instruction.
  @inline(__always) private func again(
    _ op: UnsafeMutablePointer<MicroOp>, _ ip: UInt64, _ block: UnsafeMutablePointer<Block>
  ) -> Bool {
    retire(op, ip)
    let retired = state.pointee.instructions
    engine.pointee.blockStart = retired
    return retired < engine.pointee.limit && block.pointee.valid
  }

  /// Leaves the loop's convention: IP and PSR.ri name the next instruction.
  @inline(__always) private func leave(_ ip: UInt64, _ slot: UInt64) {
    state.pointee.ip = ip
    state.pointee.psr |= slot << PSR.riShift
  }

  /// A fault of the micro-operation `op`: IP and PSR.ri name its instruction.
  @inline(never) private func stop(_ op: UnsafeMutablePointer<MicroOp>, _ block: UnsafeMutablePointer<Block>) -> LoopExit {
    let position = UInt64(op.pointee.position)
    let e = engine
    let ip = state.pointee.ip
    state.pointee.instructions = e.pointee.blockStart &+ position
    if position > UInt64(block.pointee.startSlot) {
      e.pointee.previousIP = ip
      e.pointee.previousPosition = position &- 1
    }
    leave(ip &+ position / 3 &* 16, position % 3)
    return .fault(position: position % 3)
  }

  /// The instruction of `op` returned something else than `next`.
  @inline(never) private func leaveLoop(
    _ result: StepResult, _ op: UnsafeMutablePointer<MicroOp>, _ ip: UInt64, _ block: UnsafeMutablePointer<Block>
  ) -> LoopExit {
    let position = UInt64(op.pointee.position)
    let e = engine
    switch result {
    case .fault: return stop(op, block)
    case .next, .exit, .branch, .trap:
      if op.pointee.tag == .ld8Fill || op.pointee.tag == .loadSpecial { updateBase(op) }
      state.pointee.instructions = e.pointee.blockStart &+ position &+ 1
      // An instruction that has just set PSR.ic does not count for IIPA.
      if e.pointee.keepsPrevious {
        e.pointee.keepsPrevious = false
      } else {
        e.pointee.previousIP = ip
        e.pointee.previousPosition = position
      }
      let next = position &+ 1
      leave(ip &+ next / 3 &* 16, next % 3)
      return result == .trap ? .trap(position: position % 3, takenBranch: false) : .attention(takenBranch: false)
    case .jumped:
      e.pointee.keepsPrevious = false
      state.pointee.instructions = e.pointee.blockStart &+ position &+ 1
      return .jumped
    }
  }

  /// A multiply-add that is none of the ordinary ones.
  @inline(never) private func unusualMultiplyAdd(
    _ op: UnsafeMutablePointer<MicroOp>, _ ip: UInt64, _ block: UnsafeMutablePointer<Block>
  ) -> LoopExit? {
    let result = multiplyAddOfAny(op)
    return result == .next ? nil : leaveLoop(result, op, ip, block)
  }

  /// A load that sets a NaT bit leaves the loop before the micro-operation behind it, which updates its base.
  private func updateBase(_ op: UnsafeMutablePointer<MicroOp>) {
    let update = op[1]
    guard update.position == op.pointee.position else { return }
    let base = state.gr[Int(update.a)]
    switch update.tag {
    case .addImm: state.gr[Int(update.d)] = base &+ UInt64(bitPattern: update.imm)
    case .add: state.gr[Int(update.d)] = base &+ state.gr[Int(update.b)]
    default: break
    }
  }

  @inline(never) private func loadMiss(_ op: UnsafeMutablePointer<MicroOp>, _ size: Int) -> Bool {
    engine.pointee.position = UInt64(op.pointee.position)
    let (value, ok) = readSlow(state.gr[Int(op.pointee.b)], size)
    if ok { state.gr[Int(op.pointee.d)] = value }
    return ok
  }

  @inline(never) private func storeMiss(_ op: UnsafeMutablePointer<MicroOp>, _ size: Int) -> Bool {
    engine.pointee.position = UInt64(op.pointee.position)
    let address = state.gr[Int(op.pointee.b)]
    let value = state.gr[Int(op.pointee.a)]
    if state.pointee.alat.filter != 0, let host = quickWrite(address, UInt64(size)) {
      switch size {
      case 1: host.storeBytes(of: UInt8(truncatingIfNeeded: value), as: UInt8.self)
      case 2: host.storeBytes(of: UInt16(truncatingIfNeeded: value), as: UInt16.self)
      case 4: host.storeBytes(of: UInt32(truncatingIfNeeded: value), as: UInt32.self)
      default: host.storeBytes(of: value, as: UInt64.self)
      }
      return true
    }
    return writeSlow(address, size, value)
  }

  @inline(never) private func parallelCompare(_ op: UnsafeMutablePointer<MicroOp>, _ left: UInt64) {
    let e = op.pointee.e
    var a = Int64(bitPattern: left)
    var b = Int64(bitPattern: state.gr[Int(op.pointee.b)])
    if e & 0x80 != 0 {
      a = Int64(Int32(truncatingIfNeeded: a))
      b = Int64(Int32(truncatingIfNeeded: b))
    }
    let result: Bool
    switch Relation(rawValue: e >> 2 & 0x1F) ?? .eq {
    case .eq: result = a == b
    case .ne: result = a != b
    case .lt: result = a < b
    case .le: result = a <= b
    case .gt: result = a > b
    case .ge: result = a >= b
    default: result = false
    }
    let pr = state.pr
    switch e & 3 {
    case ParallelCompare.and:
      if !result {
        pr[Int(op.pointee.d)] = 0
        pr[Int(op.pointee.c)] = 0
      }
    case ParallelCompare.or:
      if result {
        pr[Int(op.pointee.d)] = 1
        pr[Int(op.pointee.c)] = 1
      }
    default:
      if result {
        pr[Int(op.pointee.d)] = 1
        pr[Int(op.pointee.c)] = 0
      }
    }
  }

  // MARK: Calls and returns

  @inline(__always) private func call(_ op: UnsafeMutablePointer<MicroOp>, _ ip: UInt64) {
    let s = state
    s.ar[AR.pfs] = cfm | s.ar[AR.ec] << 52 | PSR.cpl(s.pointee.psr) << 62
    s.br[Int(op.pointee.d)] = ip &+ UInt64(op.pointee.position) / 3 &* 16 &+ 16
    callFrame()
  }

  /// br.ret: frame, EC and privilege from PFS. False: the dispatcher must look (loads pending, NaT, privilege change).
  @inline(__always) private func returnFrame() -> Bool {
    let s = state
    let pfs = s.ar[AR.pfs]
    s.ar[AR.ec] = pfs >> 52 & 0x3F
    let complete = restoreFrame(pfs & 0x3F_FFFF_FFFF, preserved: Int(pfs >> 7 & 0x7F))
    return complete && noNaT && pfs >> 62 <= PSR.cpl(s.pointee.psr)
  }

  /// A return that lowers privilege, restores NaTs or needs loads.
  @inline(never) private func returnNeedsAttention(_ op: UnsafeMutablePointer<MicroOp>) -> LoopExit {
    let s = state
    let level = s.ar[AR.pfs] >> 62
    let psr = s.pointee.psr
    guard level > PSR.cpl(psr) else { return .attention(takenBranch: true) }
    engine.pointee.position = UInt64(op.pointee.position)
    setPSR(psr & ~PSR.cplMask | level << PSR.cplShift, after: 1)
    guard psr & PSR.lp != 0 else { return .attention(takenBranch: true) }
    raise(.lowerPrivilegeTransfer, isr: 2)
    s.pointee.fault.isTrap = true
    return .trap(position: UInt64(op.pointee.position) % 3, takenBranch: true)
  }

  /// br.ctop, br.cexit, br.wtop, br.wexit (Volume 3, br): returns whether the branch is taken.
  @inline(never) private func rotateAndBranch(_ o: MicroOp) -> Bool {
    let s = state
    let ec = s.ar[AR.ec]
    var taken: Bool
    let newP63: UInt8
    var rotates = true
    if o.e < 2 {
      if s.ar[AR.lc] != 0 {
        s.ar[AR.lc] &-= 1
        newP63 = 1
        taken = true
      } else {
        newP63 = 0
        if ec != 0 { s.ar[AR.ec] = ec &- 1 } else { rotates = false }
        taken = ec > 1
      }
    } else {
      let predicate = s.pr[Int(o.a)] != 0
      newP63 = 0
      if predicate {
        taken = true
      } else {
        if ec != 0 { s.ar[AR.ec] = ec &- 1 } else { rotates = false }
        taken = ec > 1
      }
    }
    s.pr[63] = newP63
    if rotates { rotateOnce() }
    // cexit and wexit leave the loop where ctop and wtop stay in it.
    if o.e & 1 != 0 { taken.toggle() }
    return taken
  }
}
