import Processor

/// How a domain's region identifiers are kept apart from all others' (Xen does the same with blocks of identifiers).
///
/// The machine has 24 bits of them, a domain 18: the upper six are its number. Block 0 is the hypervisor's: there are the address spaces in
/// which a guest runs with translation off, wholly or in part. The machine's PSR.it, dt and rt are always set.
struct RegionIdentifiers {
  private static let guestBits = GuestContext.regionIdentifierBits
  /// Domains have numbers from 1 to this.
  static let largestDomain = 63

  let domain: UInt64

  /// The machine's identifier for one of the guest's.
  func machine(_ rid: UInt64) -> UInt64 { domain << Self.guestBits | rid & ((1 << Self.guestBits) - 1) }

  /// The machine's region registers for the guest's PSR and region registers. `mapped`: the guest's, see ``VirtualProcessorDescriptor/vrr``.
  func registers(psr: UInt64, mapped: UnsafePointer<UInt64>) -> InlineArray<8, UInt64> {
    var values = InlineArray<8, UInt64>(repeating: 0)
    let translation = PSR.it | PSR.dt | PSR.rt
    let isVirtual = psr & translation == translation
    let mode = (psr & PSR.it != 0 ? 4 : 0) | (psr & PSR.dt != 0 ? 2 : 0) | (psr & PSR.rt != 0 ? 1 : 0) as UInt64
    for region in 0..<8 {
      if isVirtual {
        let rr = mapped[region]
        values[region] = machine(rr >> 8) << 8 | Self.preferredShift(rr) << 2 | 1
      } else {
        let rid = domain << 6 | mode << 3 | UInt64(region)
        values[region] = rid << 8 | FramePool.frameShift << 2 | 1
      }
    }
    return values
  }

  /// The machine's region registers of a paravirtualized guest: in metaphysical mode region 0 means its physical addresses.
  func registers(metaphysical: Bool, mapped: UnsafePointer<UInt64>) -> InlineArray<8, UInt64> {
    var values = InlineArray<8, UInt64>(repeating: 0)
    for region in 0..<8 {
      let rr = mapped[region]
      values[region] = machine(rr >> 8) << 8 | Self.preferredShift(rr) << 2 | 1
    }
    if metaphysical { values[0] = domain << 14 | FramePool.frameShift << 2 | 1 }
    return values
  }

  /// log2 of the page size that the machine prefers in a region: the guest's, if that is not above a frame.
  static func preferredShift(_ rr: UInt64) -> UInt64 { min(rr >> 2 & 0x3F, FramePool.frameShift) }
}
