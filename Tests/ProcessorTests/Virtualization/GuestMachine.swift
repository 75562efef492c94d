import IA64
import Processor
import Testing

/// The harness with a virtual processor: PAL_VP_INIT_ENV has been called, and the VPD at ``vpd`` is current.
enum GuestMachine {
  static let vpd: UInt64 = 0x28_0000
  /// A guest at level 0 with interruptions collected, in its bank 1.
  static let psr = PSR.ic | PSR.vm | PSR.bn

  static func make(
    _ source: String, vac: VirtualProcessorDescriptor.Accelerations = [], vdc: VirtualProcessorDescriptor.Disables = [],
    vpsr: UInt64 = 0, psr: UInt64 = psr, handlers: [Vector: String] = [:], sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> TestMachine {
    let machine = try TestMachine(source, psr: psr, handlers: handlers, sourceLocation: sourceLocation)
    machine.store(vpd + UInt64(VirtualProcessorDescriptor.Field.accelerations), vac.rawValue)
    machine.store(vpd + UInt64(VirtualProcessorDescriptor.Field.disables), vdc.rawValue)
    machine[vpd: VirtualProcessorDescriptor.Field.psr] = vpsr
    machine.each {
      $0.state.pointee.virtualEnvironment.isActive = true
      $0.state.pointee.virtualEnvironment.givesCause = true
      #expect($0.setVirtualProcessor(vpd))
    }
    return machine
  }

  /// Goes on behind the instruction that was intercepted, as a monitor does that has emulated it.
  static let skip = """
    mov r16=cr.ipsr ;;
    mov r17=cr.iip
    mov r20=pr ;;
    extr.u r18=r16,41,2 ;;
    cmp.eq p6,p7=2,r18 ;;
    (p06) adds r17=16,r17
    (p06) dep r16=0,r16,41,2
    (p07) movl r19=0x20000000000 ;;
    (p07) add r16=r16,r19
    mov cr.iip=r17 ;;
    mov cr.ipsr=r16
    mov pr=r20,-2 ;;
    rfi ;;
    """

  /// A bundle with `text` in a slot, nop in the others.
  static func bundle(_ text: String, _ unit: SlotUnit, slot: Int) -> String {
    let letters = unit == .b ? "bbb" : "mmi"
    let lines = (0..<3).map { $0 == slot ? text : "nop 0" }
    return "{ .\(letters)\n \(lines.joined(separator: "\n ")) ;;\n }"
  }

  static func opcode(_ text: String, _ unit: SlotUnit) throws -> UInt64 {
    try Assembler.encode(text, unit: unit).slot
  }
}

extension TestMachine {
  /// The word of the VPD at a byte offset.
  subscript(vpd offset: Int) -> UInt64 {
    get { load(GuestMachine.vpd + UInt64(offset)) }
    set { store(GuestMachine.vpd + UInt64(offset), newValue) }
  }
  /// Guest control register `n` in the VPD.
  subscript(vcr n: Int) -> UInt64 {
    get { self[vpd: VirtualProcessorDescriptor.Field.controlRegisters + 8 * n] }
    set { self[vpd: VirtualProcessorDescriptor.Field.controlRegisters + 8 * n] = newValue }
  }
  var vpsr: UInt64 {
    get { self[vpd: VirtualProcessorDescriptor.Field.psr] }
    set { self[vpd: VirtualProcessorDescriptor.Field.psr] = newValue }
  }

  /// Runs into the interception of an instruction in slot `slot` of the bundle at `bundle`, and expects what it hands over.
  func expectIntercept(
    _ cause: InterceptCause, opcode: UInt64? = nil, bundle: UInt64 = TestMachine.code + 16, slot: UInt64? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(run() == .interruption(.virtualization), sourceLocation: sourceLocation)
    #expect(self[gr: 24] == UInt64(cause.rawValue), sourceLocation: sourceLocation)
    if let opcode { #expect(self[gr: 25] == opcode, sourceLocation: sourceLocation) }
    #expect(interruption.iip == bundle, sourceLocation: sourceLocation)
    #expect(interruption.ipsr & PSR.vm != 0, sourceLocation: sourceLocation)
    #expect(psr & PSR.vm == 0, sourceLocation: sourceLocation)
    if let slot {
      #expect(interruption.slot == slot, sourceLocation: sourceLocation)
      #expect(PSR.ri(interruption.ipsr) == slot, sourceLocation: sourceLocation)
    }
  }
}
