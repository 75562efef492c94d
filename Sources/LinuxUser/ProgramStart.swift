import Glibc
import Loading
import Processor

/// A program file made ready: its segments in memory, the initial stack, and where it starts.
struct ProgramStart {
  /// Largest program file that is read.
  static let largestFile: UInt64 = 1 << 30
  /// End of the memory stack: the end of what region 3 can map.
  static let stackTop: UInt64 = 0x6000_0000_0000_0000 + AddressSpace.regionLimit
  /// Base of the register backing store; it grows upwards while the memory stack grows downwards (Linux calls it rbs_bot).
  static let backingStoreBase: UInt64 = 0x6000_07FF_8000_0000
  /// Where position-independent programs are loaded.
  static let positionIndependentBase: UInt64 = 0x2000_0008_0000_0000
  static let defaultStackLimit: UInt64 = 8 << 20

  var entry: UInt64 = 0
  var stackPointer: UInt64 = 0
  /// Where `brk` starts.
  var heap: UInt64 = 0

  /// Maps the program. An error leaves the address space half filled; the caller gives up then.
  static func load(
    _ program: ELFProgram, into space: AddressSpace, arguments: [[UInt8]], environment: [[UInt8]], path: [UInt8],
    stackLimit: UInt64
  ) throws(SystemError) -> ProgramStart {
    var start = ProgramStart()
    let bias = program.isPositionIndependent ? positionIndependentBase : 0
    for segment in program.segments {
      guard !segment.virtualAddress.addingReportingOverflow(bias).overflow else { throw .noMemory }
      let end = try map(segment, bias: bias, into: space)
      start.heap = max(start.heap, end)
    }
    start.heap = (start.heap + PagePool.offsetMask) & ~PagePool.offsetMask
    start.entry = program.entry &+ bias
    try mapStacks(into: space, limit: stackLimit, executable: program.wantsExecutableStack)
    try GatePage.map(into: space)
    start.stackPointer = try InitialStack(
      program: program, bias: bias, arguments: arguments, environment: environment, path: path
    ).write(to: space, top: stackTop)
    return start
  }

  /// Maps one segment and copies its contents; returns the first address behind it.
  private static func map(
    _ segment: ELFProgram.Segment, bias: UInt64, into space: AddressSpace
  ) throws(SystemError) -> UInt64 {
    let address = segment.virtualAddress + bias
    let (end, overflow) = address.addingReportingOverflow(segment.memorySize)
    guard !overflow, end <= .max - PagePool.pageSize else { throw .noMemory }
    let first = address & ~PagePool.offsetMask
    let last = (end + PagePool.offsetMask) & ~PagePool.offsetMask
    guard AddressSpace.isValid(first, last - first) else { throw .noMemory }
    var protection: Protection = []
    if segment.isReadable { protection.insert(.read) }
    if segment.isWritable { protection.insert(.write) }
    if segment.isExecutable { protection.insert(.execute) }
    // Two segments may meet in a page: what the first one put there stays, the later protection counts.
    var from = first
    if space.area(at: first) != nil && first != address {
      guard space.protect(from: first, to: first + PagePool.pageSize, protection) else { throw .noMemory }
      from += PagePool.pageSize
    }
    if from < last {
      guard space.map(Area(start: from, end: last, protection: protection)) else { throw .noMemory }
    }
    try fill(space, address, segment.contents)
    return end
  }

  /// Copies past the protections, as the loader of a kernel does.
  private static func fill(_ space: AddressSpace, _ address: UInt64, _ contents: ArraySlice<UInt8>) throws(SystemError) {
    var offset = contents.startIndex
    var address = address
    while offset < contents.endIndex {
      let size = min(contents.endIndex - offset, Int(PagePool.pageSize - address & PagePool.offsetMask))
      guard let page = space.pages[address >> PagePool.shift] ?? space.pool.allocate() else { throw .noMemory }
      space.setPage(address >> PagePool.shift, page)
      _ = contents[offset..<offset + size].withUnsafeBytes {
        space.pool.memory.write(page + address & PagePool.offsetMask, $0)
      }
      offset += size
      address += UInt64(size)
    }
  }

  private static func mapStacks(into space: AddressSpace, limit: UInt64, executable: Bool) throws(SystemError) {
    let size = min(max(limit, 1 << 17), 1 << 30) & ~PagePool.offsetMask
    let protection: Protection = executable ? [.read, .write, .execute] : [.read, .write]
    guard space.map(Area(start: stackTop - size, end: stackTop, protection: protection)),
      space.map(Area(start: backingStoreBase, end: backingStoreBase + size, protection: [.read, .write]))
    else { throw .noMemory }
  }
}

/// What a program finds on its stack: argc, argv, envp and the auxiliary vector.
private struct InitialStack {
  var program: ELFProgram
  var bias: UInt64
  var arguments: [[UInt8]]
  var environment: [[UInt8]]
  var path: [UInt8]

  private enum Auxiliary {
    static let programHeaders: UInt64 = 3
    static let programHeaderSize: UInt64 = 4
    static let programHeaderCount: UInt64 = 5
    static let pageSize: UInt64 = 6
    static let base: UInt64 = 7
    static let flags: UInt64 = 8
    static let entry: UInt64 = 9
    static let user: UInt64 = 11
    static let effectiveUser: UInt64 = 12
    static let group: UInt64 = 13
    static let effectiveGroup: UInt64 = 14
    static let hardware: UInt64 = 16
    static let clockTicks: UInt64 = 17
    static let secure: UInt64 = 23
    static let random: UInt64 = 25
    static let fileName: UInt64 = 31
  }

  /// Returns the stack pointer, which points at argc. Strings may take a quarter of the stack, as on Linux.
  func write(to space: AddressSpace, top: UInt64) throws(SystemError) -> UInt64 {
    var strings: [UInt8] = []
    func add(_ bytes: [UInt8]) -> Int {
      strings.append(contentsOf: bytes)
      strings.append(0)
      return strings.count - bytes.count - 1
    }
    let argumentOffsets = arguments.map(add)
    let environmentOffsets = environment.map(add)
    let pathOffset = add(path)
    // Fixed, so that two runs of a program are alike.
    let randomOffset = strings.count
    strings.append(contentsOf: [0x45, 0x70, 0x69, 0x63, 0x75, 0x72, 0x65, 0x2D, 0x9A, 0x3C, 0xE1, 0x07, 0x5B, 0xD2, 0x68, 0xF4])
    guard let stack = space.area(at: top - 1), UInt64(strings.count) <= (stack.end - stack.start) / 4 else {
      throw SystemError(E2BIG)
    }
    let base = (top - 16 - UInt64(strings.count)) & ~15
    func address(_ offset: Int) -> UInt64 { base + UInt64(offset) }

    var words: [UInt64] = [UInt64(arguments.count)]
    words += argumentOffsets.map(address)
    words.append(0)
    words += environmentOffsets.map(address)
    words.append(0)
    words += [
      Auxiliary.hardware, 0, Auxiliary.pageSize, PagePool.pageSize, Auxiliary.clockTicks, 100, Auxiliary.programHeaders,
      (program.programHeaderAddress ?? 0) &+ (program.programHeaderAddress == nil ? 0 : bias), Auxiliary.programHeaderSize,
      UInt64(program.programHeaderSize), Auxiliary.programHeaderCount, UInt64(program.programHeaderCount), Auxiliary.base, 0,
      Auxiliary.flags, 0, Auxiliary.entry, program.entry &+ bias, Auxiliary.user, UInt64(getuid()), Auxiliary.effectiveUser,
      UInt64(geteuid()), Auxiliary.group, UInt64(getgid()), Auxiliary.effectiveGroup, UInt64(getegid()), Auxiliary.secure, 0,
      Auxiliary.random, address(randomOffset), Auxiliary.fileName, address(pathOffset), 0, 0,
    ]
    let size = UInt64(words.count * 8)
    guard size + UInt64(strings.count) + 64 <= (stack.end - stack.start) / 2 else { throw SystemError(E2BIG) }
    let pointer = (base - size) & ~15
    try space.write(base, strings)
    var offset = pointer
    for word in words {
      try space.store(offset, word)
      offset += 8
    }
    return pointer
  }
}
