import Processor

/// What there is to say about a virtualized instruction (Volume 2, chapter 11; table 3-10).
struct InterceptWords {
  /// What the hypervisor does.
  var handling: String
  /// Xen's function for it (`xen/arch/ia64/vmx/vmx_virt.c`), for those who know that.
  var counterpart: String
  /// What would let the processor do it without an exit. Nil: nothing.
  var acceleration: String?

  init(_ cause: InterceptCause) {
    switch cause {
    case .movToAR, .movToARImmediate: self.init("sets the offset of the guest's ITC", "mov_to_ar_reg")
    case .movFromAR: self.init("reads the guest's ITC, its offset included", "mov_from_ar_reg")
    case .movToCR:
      self.init(
        "writes the guest's control register, and does what that entails: ITM sets its timer, EOI lets the next interrupt through, TPR may unmask one",
        "mov_to_cr",
        "a_to_int_cr covers IPSR to IHA while the guest's PSR.ic is 0, a_int TPR; d_itm would give it ITM, d_extint IVR to IRR3")
    case .movFromCR:
      self.init(
        "reads the guest's control register; IVR also takes the interrupt", "mov_from_cr",
        "a_from_int_cr covers IPSR to IHA while the guest's PSR.ic is 0, a_int TPR; d_itm would give it ITM, d_extint IVR to IRR3")
    case .movToPSR:
      self.init("writes the lower half of the guest's PSR; its translation switches choose the region registers", "mov_to_psr")
    case .movFromPSR: self.init("reads the guest's PSR from the VPD", "mov_from_psr", "a_from_psr")
    case .itcD, .itcI:
      self.init(
        "puts the translation into the guest's cache, and the machine's, with the machine's page behind the guest's",
        cause == .itcD ? "itc_d" : "itc_i")
    case .itrD, .itrI:
      self.init("puts the translation into the guest's register, and the machine's cache", cause == .itrD ? "itr_d" : "itr_i")
    case .movToRR: self.init("gives the region another of the domain's region identifiers", "mov_to_rr")
    case .movFromRR: self.init("reads the guest's region register", "mov_from_rr")
    case .movToDBR, .movToIBR:
      self.init("writes the guest's breakpoint register", cause == .movToDBR ? "mov_to_dbr" : "mov_to_ibr", "d_ibr_dbr")
    case .movFromDBR, .movFromIBR:
      self.init("reads the guest's breakpoint register", cause == .movFromDBR ? "mov_from_dbr" : "mov_from_ibr", "d_ibr_dbr")
    case .movToPKR, .movFromPKR:
      self.init("moves the guest's protection key register", cause == .movToPKR ? "mov_to_pkr" : "mov_from_pkr")
    case .movToPMC, .movFromPMC:
      self.init("moves the guest's monitor control", cause == .movToPMC ? "mov_to_pmc" : "mov_from_pmc", "d_pmc")
    case .movToPMD: self.init("writes the guest's monitor data", "mov_to_pmd", "d_to_pmd")
    case .movFromCPUID: self.init("reads the guest's CPUID register", "mov_from_cpuid", "a_from_cpuid")
    case .ssm, .rsm:
      self.init(
        "changes the guest's PSR; with PSR.ic or the translation switches that is more than a bit", cause == .ssm ? "ssm" : "rsm",
        "a_int covers those that name PSR.i and nothing else")
    case .ptcL, .ptcG, .ptcGA, .ptcE, .ptrD, .ptrI:
      let names: [InterceptCause: String] = [
        .ptcL: "ptc_l", .ptcG: "ptc_g", .ptcGA: "ptc_ga", .ptcE: "ptc_e", .ptrD: "ptr_d", .ptrI: "ptr_i",
      ]
      self.init(
        "purges the guest's translations and the machine's"
          + (cause == .ptcG || cause == .ptcGA ? ", on all of the domain's processors" : ""), names[cause] ?? "")
    case .thash: self.init("computes the address of the guest's VHPT entry from its PTA and region register", "thash")
    case .ttag: self.init("computes the tag of the guest's VHPT entry", "ttag")
    case .tpa: self.init("looks the address up in the guest's translations", "tpa")
    case .tak: self.init("looks the page's key up in the guest's translations", "tak")
    case .cover: self.init("covers the register frame, and notes it in the guest's IFS", "cover", "a_cover")
    case .rfi: self.init("gives the guest its PSR and IP back from IPSR and IIP, and looks for interrupts that this unmasks", "rfi")
    case .bsw0, .bsw1: self.init("exchanges r16 to r31 with the guest's other bank", cause == .bsw0 ? "bsw0" : "bsw1", "a_bsw")
    case .vmsw: self.init("refuses it: PSR.vm is not the guest's", "vmsw")
    }
  }

  private init(_ handling: String, _ name: String, _ acceleration: String? = nil) {
    (self.handling, counterpart, self.acceleration) = (handling, "vmx_emul_" + name, acceleration)
  }
}
