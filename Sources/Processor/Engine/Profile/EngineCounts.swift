/// What the micro-operations of this process do, one by one, for ``EngineProfile``. Those that were made after ``begin()`` end the loop,
/// and whoever runs it counts them. All processors that count run in one thread.
enum EngineCounts {
  private static let tags = 256

  /// By tag; by the tag before it and its own.
  nonisolated(unsafe) static let operations = zeros(tags)
  nonisolated(unsafe) static let pairs = zeros(tags * tags)
  /// Times that the block at an address has begun.
  nonisolated(unsafe) static var blocks: [UInt64: UInt64] = [:]
  nonisolated(unsafe) private static var last = 0
  nonisolated(unsafe) private(set) static var isOn = false

  private static func zeros(_ count: Int) -> UnsafeMutablePointer<UInt64> {
    let memory = UnsafeMutablePointer<UInt64>.allocate(capacity: count)
    memory.initialize(repeating: 0, count: count)
    return memory
  }

  static func begin() {
    isOn = true
    LoopLabels.count()
  }

  @inline(__always) static func note(_ op: UnsafeMutablePointer<MicroOp>, _ ip: UInt64, isFirst: Bool) {
    let tag = Int(op.pointee.tag.rawValue)
    operations[tag] &+= 1
    pairs[last &* tags &+ tag] &+= 1
    last = tag
    if isFirst { blocks[ip, default: 0] &+= 1 }
  }

  static func pair(_ first: Int, _ second: Int) -> UInt64 { pairs[first * tags + second] }
}
