/// What PAL_VP_INIT_ENV and its kin have told a processor: plain memory, part of ``ProcessorState``.
public struct VirtualEnvironment {
  /// Features of the processor that PAL_PROC_SET_FEATURES can switch off: virtual machines as a whole, and vmsw.
  public var isAvailable = true
  public var hasVMSW = true
  /// PAL_VP_INIT_ENV has been called: intercepts carry opcodes, and vmsw works.
  public var isActive = false
  /// Options of PAL_VP_INIT_ENV.
  public var givesCause = false
  /// The guest reads AR.ITC + ITO without an intercept.
  public var acceleratesITC = false
  /// Physical addresses of the buffer whose beginning is the virtualization services' entry points.
  public var servicesStart: UInt64 = 0
  public var servicesEnd: UInt64 = 0
  /// Physical address of the VPD of the virtual processor that is current, or `none`.
  public var descriptor: UInt64 = VirtualEnvironment.none
  /// Where virtualization intercepts of this virtual processor go; 0: to the vector of that name.
  public var interceptHandler: UInt64 = 0

  public static let none = UInt64.max

  public init() {}
}

extension LogicalProcessor {
  /// The current VPD.
  public var virtualProcessor: VirtualProcessorDescriptor? { engine.pointee.descriptor }

  /// Makes the VPD at this physical address current; nil: none. False: it is not RAM as a whole.
  @discardableResult
  public func setVirtualProcessor(_ physical: UInt64?, interceptHandler: UInt64 = 0) -> Bool {
    guard let physical else {
      state.pointee.virtualEnvironment.descriptor = VirtualEnvironment.none
      engine.pointee.descriptor = nil
      return true
    }
    guard let host = memory.host(physical, count: Int(VirtualProcessorDescriptor.size)) else { return false }
    state.pointee.virtualEnvironment.descriptor = physical
    state.pointee.virtualEnvironment.interceptHandler = interceptHandler
    engine.pointee.descriptor = VirtualProcessorDescriptor(host)
    lookForVirtualInterrupt()
    return true
  }

  /// vhpi may have changed: PAL_VPS_SET_PENDING_INTERRUPT.
  public func lookForVirtualInterrupt() {
    guard let vpd = engine.pointee.descriptor else { return }
    state.pointee.virtualInterruptPending = vpd.isInterruptUnmasked
    if state.pointee.virtualInterruptPending { engine.pointee.limit = 0 }
  }

  /// The guest runs from here on: PAL_VPS_RESUME_NORMAL and PAL_VPS_RESUME_HANDLER, which end as an rfi with IPSR.vm = 1 does. There is no
  /// IA-32 instruction set to go to.
  ///
  /// - Parameter loadsFrame: RSE.CFLE at the guest's instruction, which counts where IFS brings no frame. Without it, a guest's handler
  ///   goes on below a frame that is not complete.
  public func resumeVirtualProcessor(loadsFrame: Bool) {
    state.cr[CR.ipsr] = state.cr[CR.ipsr] & ~PSR.is | PSR.vm
    _ = returnToInterrupted()
    if state.cr[CR.ifs] >> 63 == 0 && !loadsFrame { state.pointee.frameIncomplete = false }
  }
}

extension LogicalProcessor {
  /// Physical address of `count` bytes at a virtual address, if the data TLB maps them, in one piece: what translation registers hold during
  /// virtualization services.
  public func mappedData(_ address: UInt64, count: UInt64) -> UInt64? {
    var first: UInt64?
    var done: UInt64 = 0
    while done < count {
      let next = address &+ done
      guard let t = dataTLB.lookup(offset(next), rid(next))?.pointee, t.present else { return nil }
      let physical = t.physical | next & t.mask
      if let first, physical != first &+ done { return nil }
      if first == nil { first = physical }
      done &+= t.mask &+ 1 &- next & t.mask
    }
    return first
  }
}

extension VirtualProcessorDescriptor {
  /// a_int: the guest's highest pending interrupt passes its PSR.i and TPR.
  var isInterruptUnmasked: Bool {
    guard vac.contains(.interrupts) else { return false }
    let tpr = vcr[CR.tpr]
    let masked: UInt64 = vpsr & PSR.i == 0 ? 32 : 0
    return vhpi > masked | (tpr >> 16 & 1) << 4 | tpr >> 4 & 0xF
  }
}
