/// Bits and fields of the processor status register (Volume 2, section 3.3.2).
public enum PSR {
  public static let be: UInt64 = 1 << 1
  public static let up: UInt64 = 1 << 2
  public static let ac: UInt64 = 1 << 3
  public static let mfl: UInt64 = 1 << 4
  public static let mfh: UInt64 = 1 << 5
  public static let ic: UInt64 = 1 << 13
  public static let i: UInt64 = 1 << 14
  public static let pk: UInt64 = 1 << 15
  public static let dt: UInt64 = 1 << 17
  public static let dfl: UInt64 = 1 << 18
  public static let dfh: UInt64 = 1 << 19
  public static let sp: UInt64 = 1 << 20
  public static let pp: UInt64 = 1 << 21
  public static let di: UInt64 = 1 << 22
  public static let si: UInt64 = 1 << 23
  public static let db: UInt64 = 1 << 24
  public static let lp: UInt64 = 1 << 25
  public static let tb: UInt64 = 1 << 26
  public static let rt: UInt64 = 1 << 27
  public static let `is`: UInt64 = 1 << 34
  public static let mc: UInt64 = 1 << 35
  public static let it: UInt64 = 1 << 36
  public static let id: UInt64 = 1 << 37
  public static let da: UInt64 = 1 << 38
  public static let dd: UInt64 = 1 << 39
  public static let ss: UInt64 = 1 << 40
  public static let ed: UInt64 = 1 << 43
  public static let bn: UInt64 = 1 << 44
  public static let ia: UInt64 = 1 << 45
  public static let vm: UInt64 = 1 << 46

  public static let cplShift: UInt64 = 32
  public static let cplMask: UInt64 = 3 << 32
  public static let riShift: UInt64 = 41
  public static let riMask: UInt64 = 3 << 41

  /// Reserved bits: writing one raises Reserved Register/Field.
  public static let reserved: UInt64 = ~((1 << 47) - 1) | 1 | 0x1FC0 | 1 << 16 | 0xF << 28
  /// Bits that `mov r = psr` shows.
  public static let readable: UInt64 = 0x18_FFFF_FFFF
  /// Bits that `mov psr.um`, `sum` and `rum` reach.
  public static let userMask: UInt64 = be | up | ac | mfl | mfh
  /// Bits that are cleared when the first instruction after `rfi` has executed (Volume 2, section 5.5.4).
  public static let oneShot: UInt64 = id | da | dd | ia | ed
  /// Bits that make the engine leave its blocks and step: each instruction needs checks before or traps after it.
  public static let stepping: UInt64 = ss | tb | lp | db | id | da | dd | ia | ed

  /// PSR at an interruption (Volume 2, table 3-2): these bits survive, be and pp come from DCR, the rest becomes 0.
  public static let keptByInterruption: UInt64 = up | mfl | mfh | pk | dt | rt | it | mc

  @inline(__always) public static func cpl(_ psr: UInt64) -> UInt64 { (psr >> cplShift) & 3 }
  @inline(__always) public static func ri(_ psr: UInt64) -> UInt64 { (psr >> riShift) & 3 }
}

/// Bits of the default control register, CR0 (Volume 2, section 3.3.4.1).
public enum DCR {
  public static let pp: UInt64 = 1 << 0
  public static let be: UInt64 = 1 << 1
  public static let lc: UInt64 = 1 << 2
  public static let dm: UInt64 = 1 << 8
  public static let dp: UInt64 = 1 << 9
  public static let dk: UInt64 = 1 << 10
  public static let dx: UInt64 = 1 << 11
  public static let dr: UInt64 = 1 << 12
  public static let da: UInt64 = 1 << 13
  public static let dd: UInt64 = 1 << 14
  public static let implemented: UInt64 = 0x7F07
}

/// Numbers of the control registers (Volume 2, table 3-3).
public enum CR {
  public static let dcr = 0
  public static let itm = 1
  public static let iva = 2
  /// Interval timer offset: only in a virtual environment that accelerates AR.ITC.
  public static let ito = 4
  public static let pta = 8
  public static let ipsr = 16
  public static let isr = 17
  public static let iip = 19
  public static let ifa = 20
  public static let itir = 21
  public static let iipa = 22
  public static let ifs = 23
  public static let iim = 24
  public static let iha = 25
  public static let iib0 = 26
  public static let iib1 = 27
  public static let lid = 64
  public static let ivr = 65
  public static let tpr = 66
  public static let eoi = 67
  public static let irr0 = 68
  public static let itv = 72
  public static let pmv = 73
  public static let cmcv = 74
  public static let lrr0 = 80
  public static let lrr1 = 81
}

/// Numbers of the application registers (Volume 1, table 3-3).
public enum AR {
  public static let k0 = 0
  public static let rsc = 16
  public static let bsp = 17
  public static let bspstore = 18
  public static let rnat = 19
  public static let fcr = 21
  public static let eflag = 24
  public static let csd = 25
  public static let ssd = 26
  public static let cflg = 27
  public static let fsr = 28
  public static let fir = 29
  public static let fdr = 30
  public static let ccv = 32
  public static let unat = 36
  public static let fpsr = 40
  public static let itc = 44
  public static let ruc = 45
  public static let pfs = 64
  public static let lc = 65
  public static let ec = 66
}
