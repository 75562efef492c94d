/// Offsets of the 82540EM's registers, by the names of the data sheet ("PCI/PCI-X Family of Gigabit Ethernet Controllers Software
/// Developer's Manual", revision 4.0, chapter 13).
enum E1000Register {
  static let ctrl = 0x0000
  static let status = 0x0008
  static let eecd = 0x0010
  static let eerd = 0x0014
  static let ctrlExt = 0x0018
  static let fla = 0x001C
  static let mdic = 0x0020
  static let fcal = 0x0028
  static let fcah = 0x002C
  static let fct = 0x0030
  static let vet = 0x0038
  static let icr = 0x00C0
  static let itr = 0x00C4
  static let ics = 0x00C8
  static let ims = 0x00D0
  static let imc = 0x00D8
  static let rctl = 0x0100
  static let fcttv = 0x0170
  static let txcw = 0x0178
  static let rxcw = 0x0180
  static let tctl = 0x0400
  static let tipg = 0x0410
  static let aifs = 0x0458
  static let ledctl = 0x0E00
  static let pba = 0x1000
  static let fcrtl = 0x2160
  static let fcrth = 0x2168
  static let rdbal = 0x2800
  static let rdbah = 0x2804
  static let rdlen = 0x2808
  static let rdh = 0x2810
  static let rdt = 0x2818
  static let rdtr = 0x2820
  static let rxdctl = 0x2828
  static let radv = 0x282C
  static let rsrpd = 0x2C00
  static let txdmac = 0x3000
  static let tdbal = 0x3800
  static let tdbah = 0x3804
  static let tdlen = 0x3808
  static let tdh = 0x3810
  static let tdt = 0x3818
  static let tidv = 0x3820
  static let txdctl = 0x3828
  static let tadv = 0x382C
  static let tspmt = 0x3830
  static let statistics = 0x4000..<0x4100
  static let rxcsum = 0x5000
  static let mta = 0x5200
  static let ral = 0x5400
  static let vfta = 0x5600
  static let wuc = 0x5800
  static let wufc = 0x5808
  static let wus = 0x5810
  static let manc = 0x5820
  static let ipav = 0x5838

  /// Beyond the last register that is kept.
  static let end = 0xA000
}

/// Interrupt causes (section 13.4.17).
enum E1000Cause {
  static let txdw: UInt32 = 1 << 0
  static let txqe: UInt32 = 1 << 1
  static let lsc: UInt32 = 1 << 2
  static let rxdmt0: UInt32 = 1 << 4
  static let rxo: UInt32 = 1 << 6
  static let rxt0: UInt32 = 1 << 7
  static let mdac: UInt32 = 1 << 9
  static let phyint: UInt32 = 1 << 12
  static let txdLow: UInt32 = 1 << 15
  static let srpd: UInt32 = 1 << 16
  /// Those that exist: bit 5 and 8, and what is above 16, are reserved.
  static let all: UInt32 = 0x1_F6DF
}

enum E1000Control {
  static let fullDuplex: UInt32 = 1 << 0
  static let setLinkUp: UInt32 = 1 << 6
  static let forceSpeed: UInt32 = 1 << 11
  static let forceDuplex: UInt32 = 1 << 12
  static let reset: UInt32 = 1 << 26
  static let receiveFlowControl: UInt32 = 1 << 27
  static let transmitFlowControl: UInt32 = 1 << 28
  static let vlanMode: UInt32 = 1 << 30
  static let phyReset: UInt32 = 1 << 31
}

enum E1000Receive {
  static let enable: UInt32 = 1 << 1
  static let storeBad: UInt32 = 1 << 2
  static let unicastPromiscuous: UInt32 = 1 << 3
  static let multicastPromiscuous: UInt32 = 1 << 4
  static let longPackets: UInt32 = 1 << 5
  static let loopback: UInt32 = 3 << 6
  static let broadcastAccept: UInt32 = 1 << 15
  static let vlanFilter: UInt32 = 1 << 18
  static let cfiFilter: UInt32 = 1 << 19
  static let cfiValue: UInt32 = 1 << 20
  static let discardPause: UInt32 = 1 << 22
  static let passControl: UInt32 = 1 << 23
  static let sizeExtension: UInt32 = 1 << 25
  static let stripCRC: UInt32 = 1 << 26
}

enum E1000Transmit {
  static let enable: UInt32 = 1 << 1
  static let padShort: UInt32 = 1 << 3
}

/// Which bits of a register a plain write changes. What has effects beyond that is in ``E1000/writeRegister(_:_:)``.
enum E1000Masks {
  static let table: [UInt32] = {
    typealias R = E1000Register
    var masks = [UInt32](repeating: 0, count: R.end / 4)
    func allow(_ offset: Int, _ mask: UInt32, count: Int = 1) { for n in 0..<count { masks[offset / 4 + n] = mask } }
    allow(R.ctrlExt, 0x0FFF_FFFF)
    allow(R.fla, .max)
    allow(R.fcal, .max)
    allow(R.fcah, 0xFFFF)
    allow(R.fct, 0xFFFF)
    allow(R.vet, 0xFFFF)
    allow(R.itr, 0xFFFF)
    allow(R.rctl, 0x06DF_B3FE)
    allow(R.fcttv, 0xFFFF)
    allow(R.txcw, .max)
    allow(R.tctl, 0x01FF_FFFA)
    allow(R.tipg, 0x3FFF_FFFF)
    allow(R.aifs, 0xFFFF)
    allow(R.ledctl, 0xCFCF_CFCF)
    allow(R.pba, 0xFFFF)
    allow(R.fcrtl, 0x8000_FFF8)
    allow(R.fcrth, 0x0000_FFF8)
    for base in [R.rdbal, R.tdbal] {
      allow(base, 0xFFFF_FFF0)
      allow(base + 4, .max)
      allow(base + 8, 0x000F_FF80)
    }
    for register in [R.rdh, R.tdh, R.rdt, R.tdt] { allow(register, 0xFFFF) }
    allow(R.rdtr, 0xFFFF)
    allow(R.rxdctl, 0x013F_3F3F)
    allow(R.radv, 0xFFFF)
    allow(R.rsrpd, 0x0FFF)
    allow(R.txdmac, 1)
    allow(R.tidv, 0xFFFF)
    allow(R.txdctl, 0xFF3F_3F3F)
    allow(R.tadv, 0xFFFF)
    allow(R.tspmt, .max)
    allow(R.rxcsum, 0x07FF)
    allow(R.mta, .max, count: 128)
    for n in 0..<16 {
      allow(R.ral + 8 * n, .max)
      allow(R.ral + 8 * n + 4, 0x8003_FFFF)
    }
    allow(R.vfta, .max, count: 128)
    allow(R.wuc, 0x0F)
    allow(R.wufc, 0x000F_80FF)
    allow(R.manc, .max)
    allow(R.ipav, 0x0001_000F)
    allow(0x5840, .max, count: 8)  // IP4AT
    allow(0x5880, .max, count: 4)  // IP6AT
    allow(0x5900, 0x0FFF)  // WUPL
    allow(0x5A00, .max, count: 32)  // WUPM
    allow(0x5F00, 0x07FF, count: 8)  // FFLT
    allow(0x9000, 0x0F, count: 256)  // FFMT
    allow(0x9800, .max, count: 256)  // FFVT
    // Diagnostic pointers into the packet buffer, which nothing here depends on.
    for register in [0x2410, 0x2418, 0x2420, 0x2428, 0x2430, 0x3410, 0x3418, 0x3420, 0x3428, 0x3430] { allow(register, 0x1FFF) }
    return masks
  }()
}
