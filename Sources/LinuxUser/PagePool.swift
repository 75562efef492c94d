import Processor

/// The physical pages of a user program: 16 KiB each, handed out zeroed.
///
/// The pool's size is the most memory a program can ever occupy; the host commits a page when it is first touched.
struct PagePool {
  /// Page size of Linux/ia64 as every distribution configured it.
  static let shift: UInt64 = 14
  static let pageSize: UInt64 = 1 << shift
  static let offsetMask: UInt64 = pageSize - 1

  let memory: PhysicalMemory
  /// Pages below this address have been handed out at least once and may hold old contents.
  private var fresh: UInt64 = 0
  private var free: [UInt64] = []
  private(set) var used = 0

  init(memory: PhysicalMemory) { self.memory = memory }

  /// Physical address of a zeroed page; nil when all are in use.
  mutating func allocate() -> UInt64? {
    if let page = free.popLast() {
      guard let host = memory.host(page, count: Int(Self.pageSize)) else { return nil }
      host.initializeMemory(as: UInt8.self, repeating: 0, count: Int(Self.pageSize))
      memory.noteWrite(page, count: Int(Self.pageSize))
      used += 1
      return page
    }
    guard fresh + Self.pageSize <= memory.size else { return nil }
    let page = fresh
    fresh += Self.pageSize
    used += 1
    return page
  }

  mutating func release(_ page: UInt64) {
    free.append(page)
    used -= 1
  }
}
