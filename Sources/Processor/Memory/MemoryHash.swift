#if canImport(Glibc)
  import Glibc
#endif

extension PhysicalMemory {
  /// A hash over all pages that are not zero and their addresses. Pages that the host has never backed are zero and are not touched.
  public func contentHash() -> UInt64 {
    // One word for each page of the process (Linux, Documentation/admin-guide/mm/pagemap.rst); without it every page is looked at.
    let map = open("/proc/self/pagemap", O_RDONLY)
    defer { if map >= 0 { close(map) } }
    var hash = MemoryHash.start
    var entries = [UInt64](repeating: 0, count: 4096)
    for region in regions {
      let pages = Int(region.size / 4096)
      var first = 0
      while first < pages {
        let count = min(entries.count, pages - first)
        let position = (Int(bitPattern: region.host) / 4096 + first) * 8
        let known = map >= 0 && getpagesize() == 4096 && pread(map, &entries, count * 8, off_t(position)) == count * 8
        // Bit 63: in memory; bit 62: swapped out.
        for page in 0..<count where !known || entries[page] >> 62 != 0 {
          hash = MemoryHash.mix(hash, region.host + (first + page) * 4096, at: region.base + UInt64((first + page) * 4096))
        }
        first += count
      }
    }
    return hash
  }
}

/// One pass over pages of 4 KiB, in the order of their addresses.
public enum MemoryHash {
  public static let start: UInt64 = 0xCBF2_9CE4_8422_2325

  /// `page`: 4096 bytes at guest-physical address `address`. A page of zeros leaves `hash` as it is.
  public static func mix(_ hash: UInt64, _ page: UnsafeRawPointer, at address: UInt64) -> UInt64 {
    let words = page.assumingMemoryBound(to: UInt64.self)
    var any: UInt64 = 0
    for i in 0..<512 { any |= words[i] }
    if any == 0 { return hash }
    var value = (hash ^ address) &* 0x9E37_79B9_7F4A_7C15
    for i in 0..<512 {
      value = (value ^ words[i]) &* 0x9E37_79B9_7F4A_7C15
      value ^= value >> 29
    }
    return value
  }
}
