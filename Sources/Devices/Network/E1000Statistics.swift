/// The statistics registers (manual, section 13.7): they stick at their maximum, and reading clears them.
struct E1000Statistics: Sendable, Equatable, Codable {
  enum Counter {
    static let mpc = 0x4010
    static let dc = 0x4030
    static let xonrxc = 0x4048
    static let xontxc = 0x404C
    static let xoffrxc = 0x4050
    static let xofftxc = 0x4054
    static let fcruc = 0x4058
    static let prc64 = 0x405C
    static let gprc = 0x4074
    static let bprc = 0x4078
    static let mprc = 0x407C
    static let gptc = 0x4080
    static let gorc = 0x4088
    static let gotc = 0x4090
    static let rnbc = 0x40A0
    static let ruc = 0x40A4
    static let roc = 0x40AC
    static let tor = 0x40C0
    static let tot = 0x40C8
    static let tpr = 0x40D0
    static let tpt = 0x40D4
    static let ptc64 = 0x40D8
    static let mptc = 0x40F0
    static let bptc = 0x40F4
    static let tsctc = 0x40F8
    static let tsctfc = 0x40FC
  }
  /// Low halves of the counters of 64 bits.
  private static let wide = [Counter.gorc, Counter.gotc, Counter.tor, Counter.tot]

  private var values = [UInt32](repeating: 0, count: 64)

  private static func index(_ offset: Int) -> Int { (offset - E1000Register.statistics.lowerBound) / 4 }

  mutating func count(_ offset: Int, _ n: UInt32 = 1) {
    let i = Self.index(offset)
    let (sum, overflow) = values[i].addingReportingOverflow(n)
    values[i] = overflow ? .max : sum
  }

  private mutating func countBytes(_ offset: Int, _ n: Int) {
    let i = Self.index(offset)
    let old = UInt64(values[i + 1]) << 32 | UInt64(values[i])
    let (sum, overflow) = old.addingReportingOverflow(UInt64(n))
    let new = overflow ? UInt64.max : sum
    values[i] = UInt32(truncatingIfNeeded: new)
    values[i + 1] = UInt32(new >> 32)
  }

  /// Reading clears; the halves of a wide counter are cleared together, with the upper one.
  mutating func read(_ offset: Int) -> UInt32 {
    let i = Self.index(offset)
    let value = values[i]
    if Self.wide.contains(offset) { return value }
    values[i] = 0
    if Self.wide.contains(offset - 4) { values[i - 1] = 0 }
    return value
  }

  /// Which of the six size counters: 64, 65 to 127, 128 to 255, 256 to 511, 512 to 1023, 1024 and more bytes.
  private static func sizeClass(_ length: Int) -> Int { [64, 127, 255, 511, 1023].firstIndex { length <= $0 } ?? 5 }

  /// `length` with the frame check sequence.
  mutating func countReceived(length: Int, isBroadcast: Bool, isMulticast: Bool) {
    count(Counter.prc64 + 4 * Self.sizeClass(length))
    count(Counter.gprc)
    if isBroadcast { count(Counter.bprc) } else if isMulticast { count(Counter.mprc) }
    countBytes(Counter.gorc, length)
  }

  /// Every frame on the wire, wanted or not.
  mutating func countSeen(length: Int) {
    count(Counter.tpr)
    countBytes(Counter.tor, length)
  }

  mutating func countSent(length: Int, isBroadcast: Bool, isMulticast: Bool) {
    count(Counter.tpt)
    count(Counter.gptc)
    count(Counter.ptc64 + 4 * Self.sizeClass(length))
    if isBroadcast { count(Counter.bptc) } else if isMulticast { count(Counter.mptc) }
    countBytes(Counter.tot, length)
    countBytes(Counter.gotc, length)
  }
}
