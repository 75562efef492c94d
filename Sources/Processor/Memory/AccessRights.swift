/// Access rights of a page (Volume 2, table 4-4).
enum AccessRights {
  static let execute: UInt8 = 1
  static let write: UInt8 = 2
  static let read: UInt8 = 4

  /// Bits granted at privilege `cpl` on a page of rights `ar` and privilege level `page`.
  static func granted(_ ar: UInt8, page: UInt64, cpl: UInt64) -> UInt8 {
    if ar == 7 {
      if cpl == 0 { return read | execute }
      return execute
    }
    if cpl > page { return 0 }
    switch ar {
    case 0: return read
    case 1: return read | execute
    case 2: return read | write
    case 3: return read | write | execute
    case 4: return cpl < page || cpl == 0 ? read | write : read
    case 5: return cpl == 0 ? read | write | execute : read | execute
    case 6: return cpl == page && cpl != 0 ? read | write | execute : read | write
    default: return 0
    }
  }
}
