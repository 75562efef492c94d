import IA64
import Processor

/// What a kernel does with the interruptions of a program.
extension UserProcess {
  func handleInterruption() {
    let s = processor.state
    let fault = s.pointee.fault
    switch fault.vector {
    case .alternateInstructionTLB, .instructionTLB, .instructionAccessRights:
      serveFetch(fault)
    case .alternateDataTLB, .dataTLB, .dataAccessRights:
      serveData(fault)
    case .breakInstruction:
      if fault.iim == 0x10_0000 { systemCall() } else { breakInstruction(fault) }
    case .unalignedReference:
      unalignedReference(fault)
    case .floatingPointFault:
      if !assistFloatingPoint(fault) { floatingPointSignal(fault) }
    case .floatingPointTrap:
      floatingPointSignal(fault)
    case .disabledFP:
      processor.setPSR(s.pointee.psr & ~(PSR.dfl | PSR.dfh))
    case .speculation:
      // chk and fchkf: recovery code is imm21 bundles away (Volume 2, Speculation vector).
      setInstructionPointer(s.pointee.ip &+ UInt64(bitPattern: Int64(bitPattern: fault.iim << 43) >> 39))
    case .generalException:
      // Illegal operations have a code of their own; the others come as plain SIGILL.
      let illegal = fault.isr & 0xF0 == GeneralException.illegalOperation
      let code = illegal ? SignalCode.illegalOpcode : SignalCode.kernel
      force(.fault(Signal.illegal, code: code, fault, address: instructionPointer))
    case .natConsumption:
      if fault.isr & 0xF0 == 0x20 {
        force(.fault(Signal.segmentation, code: SignalCode.accessError, fault, address: fault.ifa))
      } else {
        force(.fault(Signal.illegal, code: SignalCode.illegalOperand, fault, address: instructionPointer))
      }
    case .unsupportedReference:
      force(.fault(Signal.illegal, code: SignalCode.illegalOperand, fault, address: fault.ifa))
    case .debug:
      force(.fault(Signal.trap, code: SignalCode.hardwareBreakpoint, fault, address: fault.ifa))
    case .takenBranch:
      force(.fault(Signal.trap, code: SignalCode.branch, fault, address: instructionPointer))
    case .singleStep:
      force(.fault(Signal.trap, code: SignalCode.trace, fault, address: instructionPointer))
    case .externalInterrupt, .virtualExternalInterrupt:
      break
    default:
      force(.fault(Signal.illegal, code: SignalCode.kernel, fault, address: instructionPointer))
    }
  }

  private func serveFetch(_ fault: PendingInterruption) {
    switch space.page(fault.ifa, for: .execute) {
    case .present(let physical, let protection):
      space.insert(instruction: true, fault.ifa, physical: physical, protection)
    case let failure: pageSignal(failure, fault)
    }
  }

  private func serveData(_ fault: PendingInterruption) {
    var access: Protection = []
    if fault.isr & ISR.r != 0 { access.insert(.read) }
    if fault.isr & ISR.w != 0 { access.insert(.write) }
    let outcome = space.page(fault.ifa, for: access)
    if case .present(let physical, let protection) = outcome {
      space.insert(instruction: false, fault.ifa, physical: physical, protection)
      return
    }
    // Speculative loads and prefetches that no page answers are cancelled: PSR.ed does that for one instruction.
    let prefetch = fault.isr & ISR.na != 0 && fault.isr & 0xF == 4
    if fault.isr & ISR.sp != 0 || prefetch {
      processor.setPSR(processor.state.pointee.psr | PSR.ed)
      return
    }
    pageSignal(outcome, fault)
  }

  private func pageSignal(_ outcome: PageOutcome, _ fault: PendingInterruption) {
    switch outcome {
    case .denied: force(.fault(Signal.segmentation, code: SignalCode.accessError, fault, address: fault.ifa))
    case .exhausted: terminate(Signal.kill, "out of memory")
    default: force(.fault(Signal.segmentation, code: SignalCode.mapError, fault, address: fault.ifa))
    }
  }

  /// `break` with other numbers than the system calls': the run-time errors that the software conventions number.
  private func breakInstruction(_ fault: PendingInterruption) {
    let (signal, code): (Int32, Int32)
    switch fault.iim {
    case 0: (signal, code) = (Signal.illegal, SignalCode.illegalOpcode)
    case 1: (signal, code) = (Signal.floatingPoint, SignalCode.integerDivide)
    case 2: (signal, code) = (Signal.floatingPoint, SignalCode.integerOverflow)
    case 3: (signal, code) = (Signal.floatingPoint, SignalCode.subscriptRange)
    case 4: (signal, code) = (Signal.segmentation, SignalCode.mapError)
    case 5: (signal, code) = (Signal.segmentation, SignalCode.unalignedAddress)
    case 6...10: (signal, code) = (Signal.floatingPoint, SignalCode.decimalBase + Int32(fault.iim) - 6)
    case 11: (signal, code) = (Signal.segmentation, SignalCode.paragraphStackOverflow)
    case 0x3F000...0x3FFFF: (signal, code) = (Signal.illegal, SignalCode.bundleUpdate)
    case 0..<0x80000: (signal, code) = (Signal.illegal, SignalCode.illegalBreak)
    default: (signal, code) = (Signal.trap, SignalCode.breakpoint)
    }
    force(.fault(signal, code: code, fault, address: instructionPointer))
  }

  /// SIGFPE for a fault or trap that the program has unmasked.
  func floatingPointSignal(_ fault: PendingInterruption) {
    let isr = fault.isr
    let code: Int32
    if fault.vector == .floatingPointFault {
      code = isr & 0x11 != 0 ? SignalCode.floatInvalid : isr & 0x22 != 0 ? SignalCode.floatUnderflow : SignalCode.floatDivide
    } else {
      code =
        isr & 0x880 != 0 ? SignalCode.floatOverflow : isr & 0x1100 != 0 ? SignalCode.floatUnderflow : SignalCode.floatInexact
    }
    force(.fault(Signal.floatingPoint, code: code, fault, address: instructionPointer))
  }
}
