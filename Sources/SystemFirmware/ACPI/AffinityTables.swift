import Platform

/// Where processors and memory are (ACPI 3.0b, sections 5.2.16 and 5.2.17).
extension ACPITables {
  /// SRAT: the proximity domain of each processor and memory range.
  static func resourceAffinity(_ topology: NUMATopology, processors: [LocalID]) -> [UInt8] {
    var t = ACPITable("SRAT", revision: 2)
    t.put(UInt32(1))  // reserved, must be 1
    t.zeros(8)
    for (domain, node) in topology.nodes.enumerated() {
      for index in node.processors where processors.indices.contains(index) {
        t.put(UInt8(0))
        t.put(UInt8(16))
        t.put(UInt8(truncatingIfNeeded: domain))
        t.put(processors[index].id)
        t.put(UInt32(1))  // enabled
        t.put(processors[index].eid)
        for shift in [8, 16, 24] { t.put(UInt8(truncatingIfNeeded: domain >> shift)) }
        t.put(UInt32(0))  // clock domain
      }
    }
    for (domain, node) in topology.nodes.enumerated() {
      for range in node.memory {
        t.put(UInt8(1))
        t.put(UInt8(40))
        t.put(UInt32(domain))
        t.zeros(2)
        t.put(range.lowerBound)
        t.put(range.upperBound - range.lowerBound)
        t.zeros(4)
        t.put(UInt32(1))  // enabled
        t.zeros(8)
      }
    }
    return t.bytes
  }

  /// SLIT: relative distances.
  static func localityDistances(_ topology: NUMATopology) -> [UInt8] {
    var t = ACPITable("SLIT", revision: 1)
    t.put(UInt64(topology.nodes.count))
    for row in topology.distances { t.put(bytes: row) }
    return t.bytes
  }
}
