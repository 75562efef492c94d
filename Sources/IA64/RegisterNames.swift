/// Names of the registers that have one beside their number (Volume 1, section 3.1.8; Volume 2, section 3.3).
public enum RegisterNames {
  /// Application registers, by number.
  public static let application: [Int: String] = {
    var names: [Int: String] = [
      16: "rsc", 17: "bsp", 18: "bspstore", 19: "rnat", 21: "fcr", 24: "eflag", 25: "csd", 26: "ssd", 27: "cflg",
      28: "fsr", 29: "fir", 30: "fdr", 32: "ccv", 36: "unat", 40: "fpsr", 44: "itc", 45: "ruc", 64: "pfs", 65: "lc",
      66: "ec",
    ]
    for kernel in 0..<8 { names[kernel] = "k\(kernel)" }
    return names
  }()

  /// Control registers, by number.
  public static let control: [Int: String] = [
    0: "dcr", 1: "itm", 2: "iva", 8: "pta", 16: "ipsr", 17: "isr", 19: "iip", 20: "ifa", 21: "itir", 22: "iipa",
    23: "ifs", 24: "iim", 25: "iha", 26: "iib0", 27: "iib1", 64: "lid", 65: "ivr", 66: "tpr", 67: "eoi", 68: "irr0",
    69: "irr1", 70: "irr2", 71: "irr3", 72: "itv", 73: "pmv", 74: "cmcv", 80: "lrr0", 81: "lrr1",
  ]

  /// General and branch registers with a role in the software conventions.
  static let conventional: [String: String] = [
    "gp": "r1", "sp": "r12", "tp": "r13", "rp": "b0", "ret0": "r8", "ret1": "r9", "ret2": "r10", "ret3": "r11",
  ]

  /// Byte permutations of mux1, by type.
  static let muxTypes: [Int: String] = [0: "@brcst", 8: "@mix", 9: "@shuf", 0xa: "@alt", 0xb: "@rev"]

  /// `ar.pfs`, `ar.k0`, `ar20`.
  static func applicationName(_ number: Int) -> String { application[number].map { "ar.\($0)" } ?? "ar\(number)" }

  /// `cr.iip`, `cr3`.
  static func controlName(_ number: Int) -> String { control[number].map { "cr.\($0)" } ?? "cr\(number)" }
}
