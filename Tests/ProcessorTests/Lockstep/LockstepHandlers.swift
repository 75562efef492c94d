import Processor

/// Interruption handlers of the lockstep programs, short enough for the 256 bytes of a vector.
enum LockstepHandlers {
  /// Goes on behind the instruction that faulted; from anywhere else, at the start of the program.
  private static let skip = """
    mov r16=cr.ipsr ;;
    mov r17=cr.iip
    mov r20=pr ;;
    extr.u r18=r16,41,2 ;;
    cmp.eq p6,p7=2,r18 ;;
    (p06) adds r17=16,r17
    (p06) dep r16=0,r16,41,2
    (p07) movl r19=0x20000000000 ;;
    (p07) add r16=r16,r19
    shr.u r18=r17,16 ;;
    cmp.eq p6,p7=0x10,r18 ;;
    (p07) movl r17=0x100000 ;;
    mov cr.iip=r17
    mov cr.ipsr=r16
    mov pr=r20,-2 ;;
    rfi ;;
    """

  /// Traps: the next instruction is where IIP points; single steps and taken branches end here.
  private static let resume = """
    mov r16=cr.ipsr ;;
    dep r16=0,r16,40,1 ;;
    dep r16=0,r16,25,2 ;;
    mov cr.ipsr=r16 ;;
    rfi ;;
    """

  /// Region 1: 64 KiB of data. The page is inserted; it is executable too, and every level may use it.
  private static let insert = """
    mov r16=cr.ifa ;;
    extr.u r17=r16,12,4 ;;
    shl r17=r17,12
    movl r18=0x2007E1 ;;
    or r17=r17,r18
    movl r19=0x30 ;;
    mov cr.itir=r19 ;;
    itc.d r17 ;;
    rfi ;;
    """

  /// The timer: acknowledges, and asks for the next match some ticks later.
  private static let timer = """
    mov r16=cr.ivr ;;
    mov cr.eoi=r0
    mov r17=ar.itc ;;
    adds r17=173,r17 ;;
    mov cr.itm=r17 ;;
    rfi ;;
    """

  /// A register above the frame, disabled registers, a NaT: goes on behind it, with all registers enabled again.
  private static let enable = "mov r16=cr.ipsr ;;\ndep r16=0,r16,18,2 ;;\nmov cr.ipsr=r16 ;;\nrfi ;;"

  static let all: [Vector: String] = {
    var handlers: [Vector: String] = [:]
    let skipping: [Vector] = [
      .generalException, .natConsumption, .speculation, .debug, .unalignedReference, .unsupportedReference, .floatingPointFault,
      .keyPermission,
      .dataAccessRights, .instructionAccessRights, .pageNotPresent, .dirtyBit, .dataAccessBit, .instructionAccessBit,
      .breakInstruction,
      .instructionTLB, .alternateInstructionTLB, .vhptTranslation, .virtualization, .dataNestedTLB, .instructionKeyMiss,
      .dataKeyMiss,
    ]
    for vector in skipping { handlers[vector] = skip }
    for vector in [Vector.floatingPointTrap, .lowerPrivilegeTransfer, .takenBranch, .singleStep] { handlers[vector] = resume }
    handlers[.dataTLB] = insert
    handlers[.alternateDataTLB] = insert
    handlers[.externalInterrupt] = timer
    handlers[.disabledFP] = enable
    return handlers
  }()
}
