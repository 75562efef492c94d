/// Operating registers (LSI53C895A PCI to Ultra2 SCSI Controller Technical Manual, chapter 4).
enum LSIRegister {
  static let scntl0 = 0x00, scntl1 = 0x01, scntl2 = 0x02, scntl3 = 0x03
  static let scid = 0x04, sxfer = 0x05, sdid = 0x06, gpreg = 0x07
  static let sfbr = 0x08, socl = 0x09, ssid = 0x0A, sbcl = 0x0B
  static let dstat = 0x0C, sstat0 = 0x0D, sstat1 = 0x0E, sstat2 = 0x0F
  static let dsa = 0x10
  static let istat0 = 0x14, istat1 = 0x15, mbox0 = 0x16, mbox1 = 0x17
  static let ctest0 = 0x18, ctest1 = 0x19, ctest2 = 0x1A, ctest3 = 0x1B
  static let temp = 0x1C
  static let dfifo = 0x20, ctest4 = 0x21, ctest5 = 0x22, ctest6 = 0x23
  /// The byte counter's three bytes, and the command.
  static let dbc = 0x24, dcmd = 0x27
  static let dnad = 0x28, dsp = 0x2C, dsps = 0x30, scratchA = 0x34
  static let dmode = 0x38, dien = 0x39, sbr = 0x3A, dcntl = 0x3B
  static let adder = 0x3C
  static let sien0 = 0x40, sien1 = 0x41, sist0 = 0x42, sist1 = 0x43
  static let slpar = 0x44, swide = 0x45, macntl = 0x46, gpcntl = 0x47
  static let stime0 = 0x48, stime1 = 0x49, respid0 = 0x4A, respid1 = 0x4B
  static let stest0 = 0x4C, stest1 = 0x4D, stest2 = 0x4E, stest3 = 0x4F
  static let sidl = 0x50, stest4 = 0x52, sodl = 0x54, ccntl0 = 0x56, ccntl1 = 0x57, sbdl = 0x58
  static let scratchB = 0x5C, scratchC = 0x60
  static let mmrs = 0xA0, mmws = 0xA4, sfs = 0xA8, drs = 0xAC, sbms = 0xB0, dbms = 0xB4, dnad64 = 0xB8
  static let pmjad1 = 0xC0, pmjad2 = 0xC4, rbc = 0xC8, ua = 0xCC, esa = 0xD0, ia = 0xD4, sbc = 0xD8, csbc = 0xDC
  static let count = 0x100
}

/// Bits of the registers, by their names in the manual.
enum LSIBit {
  enum SCNTL0 { static let targetMode: UInt8 = 0x01 }
  enum SCNTL1 { static let rst: UInt8 = 0x08, con: UInt8 = 0x10 }
  enum SCNTL2 { static let sdu: UInt8 = 0x80, wss: UInt8 = 0x08, wsr: UInt8 = 0x01 }
  enum SCNTL3 { static let ews: UInt8 = 0x08 }
  enum SCID { static let rre: UInt8 = 0x40 }
  enum SOCL { static let ack: UInt8 = 0x40, atn: UInt8 = 0x08 }
  enum SBCL { static let req: UInt8 = 0x80, ack: UInt8 = 0x40, bsy: UInt8 = 0x20, sel: UInt8 = 0x10, atn: UInt8 = 0x08 }
  enum DSTAT {
    static let dfe: UInt8 = 0x80, bf: UInt8 = 0x20, abrt: UInt8 = 0x10, ssi: UInt8 = 0x08, sir: UInt8 = 0x04, iid: UInt8 = 0x01
  }
  enum SSTAT0 { static let woa: UInt8 = 0x04, rst: UInt8 = 0x02, olf: UInt8 = 0x20 }
  enum SSTAT2 { static let ldsc: UInt8 = 0x02 }
  enum ISTAT0 {
    static let abrt: UInt8 = 0x80, srst: UInt8 = 0x40, sigp: UInt8 = 0x20, sem: UInt8 = 0x10, con: UInt8 = 0x08, intf: UInt8 = 0x04
    static let sip: UInt8 = 0x02, dip: UInt8 = 0x01
  }
  enum ISTAT1 { static let scriptsRun: UInt8 = 0x02, irqDisable: UInt8 = 0x01 }
  enum CTEST2 { static let sigp: UInt8 = 0x40, cio: UInt8 = 0x20, cm: UInt8 = 0x10, pcicie: UInt8 = 0x08, dack: UInt8 = 0x01 }
  enum CTEST5 { static let dfs: UInt8 = 0x20 }
  enum DMODE { static let man: UInt8 = 0x01 }
  enum DCNTL { static let ssm: UInt8 = 0x10, std: UInt8 = 0x04, irqDisable: UInt8 = 0x02, com: UInt8 = 0x01 }
  enum SIST0 {
    static let ma: UInt16 = 0x80, cmp: UInt16 = 0x40, rsl: UInt16 = 0x10, sge: UInt16 = 0x08, udc: UInt16 = 0x04, rst: UInt16 = 0x02
  }
  /// As the high byte of the pair.
  enum SIST1 { static let sto: UInt16 = 0x0400, gen: UInt16 = 0x0200, hth: UInt16 = 0x0100 }
  enum STIME1 { static let genScale: UInt8 = 0x20, hthScale: UInt8 = 0x10 }
  enum STEST1 { static let qen: UInt8 = 0x08, qsel: UInt8 = 0x04 }
  enum STEST2 { static let rof: UInt8 = 0x40 }
  enum STEST3 { static let csf: UInt8 = 0x02 }
  enum STEST4 { static let lvd: UInt8 = 0xC0, lock: UInt8 = 0x20 }
  enum CCNTL0 { static let enpmj: UInt8 = 0x80, pmjctl: UInt8 = 0x40, enndj: UInt8 = 0x20 }
  enum CCNTL1 { static let table40: UInt8 = 0x04, table64: UInt8 = 0x02, direct64: UInt8 = 0x01 }
}

extension LSI53C895A {
  /// Everything that a saved machine needs of it, but configuration space and the bus.
  public struct State: Sendable, Equatable, Codable {
    public static let version = 1
    /// Operating registers as they were written; those with a life of their own are below.
    var registers = [UInt8](repeating: 0, count: LSIRegister.count)
    /// SCRIPTS RAM.
    var ram = [UInt8](repeating: 0, count: LSI53C895A.ramSize)
    var run = Run.stopped
    /// The instruction in DCMD, DBC and DSPS has been fetched, and is still to be carried out.
    var isFetched = false
    /// A block move that has begun.
    var move: BlockMove?
    /// The target that is being selected.
    var selecting: UInt8?
    var selectsWithAttention = false
    /// The chip is connected to the bus (ISTAT0.CON).
    var isConnected = false
    /// The latched phase of SSTAT1.
    var phase: UInt8 = 0
    var carry = false
    /// First and second level of the interrupt stack (section 2.2.17.7).
    var sist: UInt16 = 0
    var stackedSIST: UInt16 = 0
    var dstat: UInt8 = 0
    var stackedDSTAT: UInt8 = 0
    var intf = false
    var sigp = false

    /// Byte registers.
    subscript(_ register: Int) -> UInt8 {
      get { registers[register & 0xFF] }
      set { registers[register & 0xFF] = newValue }
    }
    func long(_ register: Int) -> UInt32 {
      (0..<4).reduce(UInt32(0)) { $0 | UInt32(self[register + $1]) << UInt32(8 * $1) }
    }
    mutating func setLong(_ register: Int, _ value: UInt32) {
      for n in 0..<4 { self[register + n] = UInt8(truncatingIfNeeded: value >> UInt32(8 * n)) }
    }
    var dbc: UInt32 {
      get { long(LSIRegister.dbc) & 0xFF_FFFF }
      set { setLong(LSIRegister.dbc, long(LSIRegister.dbc) & 0xFF00_0000 | newValue & 0xFF_FFFF) }
    }
    var dsp: UInt32 {
      get { long(LSIRegister.dsp) }
      set { setLong(LSIRegister.dsp, newValue) }
    }
    var dsps: UInt32 { long(LSIRegister.dsps) }
  }

  /// What the SCRIPTS processor is doing.
  enum Run: Sendable, Codable {
    case stopped
    /// A slice is scheduled.
    case running
    /// Until REQ, the end of a selection, or a free bus: whatever the instruction needs.
    case waitingForBus
    /// WAIT RESELECT: until a target reselects, or SIGP.
    case waitingForReselection
  }

  /// A block move in progress.
  struct BlockMove: Sendable, Equatable, Codable {
    var phase: UInt8
    var isChained: Bool
    /// First dword's high byte: what RBC shows above the count.
    var head: UInt8
    var address: UInt64
    var remaining: UInt32
    /// Bytes that have crossed the bus.
    var transferred: UInt32 = 0
    /// Address of the instruction, and of the table's entry.
    var instruction: UInt32
    var entry: UInt32
  }

  /// Values after reset that are not zero (appendix A).
  static func resetRegisters(_ state: inout State) {
    state.registers = [UInt8](repeating: 0, count: LSIRegister.count)
    state[LSIRegister.scntl0] = 0xC0
    state[LSIRegister.ctest1] = 0xF0
    state[LSIRegister.macntl] = 0xD0
    state[LSIRegister.gpcntl] = 0x0F
    state[LSIRegister.stest0] = 0x03
  }
}
