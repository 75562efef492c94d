/// Why a virtualization fault was raised: what GR24 says at the handoff (Volume 2, table 11-22).
public enum InterceptCause: UInt8, Sendable, CaseIterable, Codable {
  case movToAR = 1
  case movToARImmediate = 2
  case movFromAR = 3
  case movToCR = 4
  case movFromCR = 5
  case movToPSR = 6
  case movFromPSR = 7
  case itcD = 8
  case itcI = 9
  case movToRR = 10
  case movToDBR = 11
  case movToIBR = 12
  case movToPKR = 13
  case movToPMC = 14
  case movToPMD = 15
  case itrD = 16
  case itrI = 17
  case movFromRR = 18
  case movFromDBR = 19
  case movFromIBR = 20
  case movFromPKR = 21
  case movFromPMC = 22
  case movFromCPUID = 23
  case ssm = 24
  case rsm = 25
  case ptcL = 26
  case ptcG = 27
  case ptcGA = 28
  case ptrD = 29
  case ptrI = 30
  case thash = 31
  case ttag = 32
  case tpa = 33
  case tak = 34
  case ptcE = 35
  case cover = 36
  case rfi = 37
  case bsw0 = 38
  case bsw1 = 39
  case vmsw = 40

  /// The instruction as the assembler writes it.
  public var mnemonic: String {
    switch self {
    case .movToAR: "mov ar=r"
    case .movToARImmediate: "mov ar=imm"
    case .movFromAR: "mov r=ar"
    case .movToCR: "mov cr=r"
    case .movFromCR: "mov r=cr"
    case .movToPSR: "mov psr.l=r"
    case .movFromPSR: "mov r=psr"
    case .itcD: "itc.d"
    case .itcI: "itc.i"
    case .movToRR: "mov rr=r"
    case .movToDBR: "mov dbr=r"
    case .movToIBR: "mov ibr=r"
    case .movToPKR: "mov pkr=r"
    case .movToPMC: "mov pmc=r"
    case .movToPMD: "mov pmd=r"
    case .itrD: "itr.d"
    case .itrI: "itr.i"
    case .movFromRR: "mov r=rr"
    case .movFromDBR: "mov r=dbr"
    case .movFromIBR: "mov r=ibr"
    case .movFromPKR: "mov r=pkr"
    case .movFromPMC: "mov r=pmc"
    case .movFromCPUID: "mov r=cpuid"
    case .ssm: "ssm"
    case .rsm: "rsm"
    case .ptcL: "ptc.l"
    case .ptcG: "ptc.g"
    case .ptcGA: "ptc.ga"
    case .ptrD: "ptr.d"
    case .ptrI: "ptr.i"
    case .thash: "thash"
    case .ttag: "ttag"
    case .tpa: "tpa"
    case .tak: "tak"
    case .ptcE: "ptc.e"
    case .cover: "cover"
    case .rfi: "rfi"
    case .bsw0: "bsw.0"
    case .bsw1: "bsw.1"
    case .vmsw: "vmsw"
    }
  }
}
