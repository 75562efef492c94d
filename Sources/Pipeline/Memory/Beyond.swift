import Processor

/// L3, the bus and memory.
extension UnsafeMutablePointer where Pointee == PipelineState {
  /// A line that misses L2: the cycle in which a load that began at `start` has its data.
  @inline(never) func beyondL2(_ key: UInt64, _ start: UInt64) -> UInt64 {
    bump(.l3Reads)
    // L3 takes one line after the other: it has a single port.
    var begin = start
    if pointee.memory.l3Free > begin { begin = pointee.memory.l3Free }
    pointee.memory.l3Free = begin &+ pointee.costs.l3Line
    if pointee.l3.touch(key) { return begin &+ pointee.costs.l3 }
    bump(.l3Misses)
    // The request goes out when L3 has been looked up; the line then occupies the bus.
    var arrival = begin &+ pointee.costs.l3 &+ pointee.costs.memory
    let free = pointee.memory.busFree &+ pointee.costs.lineOnBus
    if free > arrival { arrival = free }
    pointee.memory.busFree = arrival
    if pointee.l3.fill(key) {
      bump(.memoryWrites)
      pointee.memory.busFree = arrival &+ pointee.costs.lineOnBus
    }
    return arrival
  }

  /// A dirty line of L2 goes to L3, which takes its turn.
  @inline(never) func writeBack() {
    bump(.l3Writes)
    pointee.memory.l3Free &+= pointee.costs.l3Line
  }
}
