/// Fowler, Noll and Vo's hash (variant 1a, 64 bits): for headers that a crash or a stray program may have damaged.
enum FNV1a {
  static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
    bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }
}
