#if canImport(Glibc)
  import Glibc
#endif

/// Guest RAM: a few regions of one lazily populated host mapping, and one flag byte for each 4 KiB page.
///
/// Host memory is reserved without being committed, so a page costs the host nothing until the guest touches it. Lives below
/// `Platform` because the processor's loads and stores go straight to it; everything that is not RAM goes over ``ProcessorBus``.
public final class PhysicalMemory: GuestMemory, @unchecked Sendable {
  public struct Region: @unchecked Sendable {
    public let base: UInt64
    public let size: UInt64
    public let host: UnsafeMutableRawPointer
    public var end: UInt64 { base + size }
  }
  public enum Failure: Error, Equatable { case cannotReserve(bytes: UInt64, errno: Int32), misaligned, empty }

  /// Sorted by base; never changes after init.
  public let regions: [Region]
  /// Total bytes.
  public let size: UInt64
  private let mapping: UnsafeMutableRawPointer
  /// One byte per 4 KiB page, indexed by (host - mapping) / 4096.
  let pageFlags: UnsafeMutablePointer<UInt8>
  /// The processors that work on this memory.
  let domain = CoherenceDomain()

  /// `layout`: (base, size) pairs in bytes, multiples of 4096, ascending and disjoint.
  public init(layout: [(base: UInt64, size: UInt64)]) throws {
    guard !layout.isEmpty else { throw Failure.empty }
    var total: UInt64 = 0
    for r in layout {
      guard r.base % 4096 == 0, r.size % 4096 == 0, r.size > 0 else { throw Failure.misaligned }
      total += r.size
    }
    guard
      let p = mmap(
        nil, Int(total), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | Int32(MAP_NORESERVE), -1, 0),
      p != MAP_FAILED
    else { throw Failure.cannotReserve(bytes: total, errno: errno) }
    let flagBytes = Int(total / 4096)
    guard
      let q = mmap(
        nil, flagBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | Int32(MAP_NORESERVE), -1, 0),
      q != MAP_FAILED
    else {
      munmap(p, Int(total))
      throw Failure.cannotReserve(bytes: UInt64(flagBytes), errno: errno)
    }
    mapping = p
    pageFlags = q.assumingMemoryBound(to: UInt8.self)
    size = total
    var offset: UInt64 = 0
    var list: [Region] = []
    for r in layout {
      list.append(Region(base: r.base, size: r.size, host: p + Int(offset)))
      offset += r.size
    }
    regions = list
  }

  deinit {
    munmap(mapping, Int(size))
    munmap(pageFlags, Int(size / 4096))
  }

  static let holdsCode: UInt8 = 1

  /// Host address of a physical address, or nil if it is not RAM.
  @inline(__always) public func host(_ physical: UInt64) -> UnsafeMutableRawPointer? {
    for r in regions where physical &- r.base < r.size {
      return r.host + Int(physical &- r.base)
    }
    return nil
  }

  /// Host address of `count` bytes that lie in one region, or nil.
  public func host(_ physical: UInt64, count: Int) -> UnsafeMutableRawPointer? {
    guard count >= 0 else { return nil }
    for r in regions where physical &- r.base < r.size {
      return UInt64(count) <= r.size - (physical - r.base) ? r.host + Int(physical - r.base) : nil
    }
    return nil
  }

  var firstByte: UInt { UInt(bitPattern: mapping) }

  /// Index of the page flag of a host address inside the mapping.
  @inline(__always) func pageIndex(_ host: UnsafeMutableRawPointer) -> Int { (host - mapping) >> 12 }

  public var ranges: [Range<UInt64>] { regions.map { $0.base..<$0.end } }

  public func piece(_ physical: UInt64, limit: Int) -> UnsafeMutableRawBufferPointer? {
    guard limit > 0, let region = regions.first(where: { physical &- $0.base < $0.size }) else { return nil }
    let count = Int(min(UInt64(limit), region.end - physical))
    return UnsafeMutableRawBufferPointer(start: region.host + Int(physical - region.base), count: count)
  }

  /// Zeros a range of RAM; false if it is not inside one region. Whole pages go back to the host, so that clearing costs no memory.
  @discardableResult
  public func clear(_ physical: UInt64, count: UInt64) -> Bool {
    guard count <= UInt64(Int.max), let start = host(physical, count: Int(count)) else { return false }
    let end = start + Int(count)
    let firstPage = min(start.alignedUp(toMultipleOf: 4096), end)
    let lastPage = max(end.alignedDown(toMultipleOf: 4096), firstPage)
    // A private anonymous mapping reads as zeros after MADV_DONTNEED.
    if lastPage > firstPage, madvise(firstPage, lastPage - firstPage, MADV_DONTNEED) != 0 {
      memset(firstPage, 0, lastPage - firstPage)
    }
    memset(start, 0, firstPage - start)
    memset(lastPage, 0, end - lastPage)
    noteWrite(physical, count: Int(count))
    return true
  }

  /// Tells the engines that RAM changed behind them (device DMA, firmware, loaders).
  public func noteWrite(_ physical: UInt64, count: Int) {
    guard count > 0, let first = host(physical) else { return }
    domain.foreignWrites &+= 1
    let firstPage = pageIndex(first)
    let lastPage = pageIndex(first + (count - 1))
    for page in firstPage...lastPage where pageFlags[page] & Self.holdsCode != 0 {
      invalidateCode((physical & ~0xFFF) + UInt64(page - firstPage) * 4096, page)
    }
  }

  @inline(never) func invalidateCode(_ physicalPage: UInt64, _ page: Int) {
    pageFlags[page] &= ~Self.holdsCode
    domain.invalidate(page: physicalPage)
  }
}

/// Everything on the far side of the processor that is not RAM: devices, the interrupt block, the port space.
public protocol ProcessorBus: AnyObject {
  /// Reads `size` (1, 2, 4, 8) bytes, little-endian. An address that nobody answers reads as all ones.
  func read(physical: UInt64, size: Int) -> UInt64
  func write(physical: UInt64, size: Int, value: UInt64)
  /// A firmware gate (`break.m` in the firmware's own pages) was executed. The handler works on the processor's registers and
  /// returns what the engine does next.
  func firmwareGate(_ number: UInt64, processor: LogicalProcessor) -> GateOutcome
  /// An INIT is taken: the firmware's handler works on the processor's state.
  func initialization(of processor: LogicalProcessor)
}

extension ProcessorBus {
  /// A bus without firmware: the INIT is lost.
  public func initialization(of processor: LogicalProcessor) {}
}

/// What follows a firmware gate.
public enum GateOutcome: Sendable {
  /// Execution goes on behind the gate.
  case proceed
  /// Execution goes on at the IP and PSR that the handler has set.
  case redirected
  /// The processor waits for an interrupt, then goes on behind the gate (PAL_HALT_LIGHT).
  case halt
  /// `run` returns ``ExitReason/stopped``; the handler has told its owner why.
  case stop
}
