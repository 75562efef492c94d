import Platform

/// What a driver can do to a queue that makes it useless. The device then waits for its reset (section 2.1.2).
public enum VirtqueueFault: String, Error, Sendable, Codable {
  /// A ring, a table of descriptors or a buffer is not in memory.
  case outsideMemory
  /// The available index is further ahead than the ring is long.
  case availableIndex
  /// More buffers are available than the queue has descriptors, those included that the device has not given back.
  case overrun
  /// A descriptor's number is not in its table.
  case descriptorIndex
  /// A chain is longer than the queue: it is a loop, or as good as one.
  case chainLength
  /// A part to be read comes after one to be written (section 2.7.4.2).
  case order
  /// An indirect table in an indirect table, one with a next descriptor, one that was not negotiated, one of no whole descriptors.
  case indirect
  /// All buffers of a chain together are longer than a device takes.
  case totalLength
  /// A request is too short to be one.
  case malformed
}

/// A split virtqueue (section 2.7) as the device sees it: where its three parts are, and how far the device has got.
///
/// Nothing in these parts is trusted: they are the guest's memory, and may change at any moment. Each field is read once.
public struct Virtqueue: Sendable, Equatable, Codable {
  public static let version = 1

  /// Bits of a descriptor's flags.
  private enum Flag {
    static let next: UInt16 = 1
    static let write: UInt16 = 2
    static let indirect: UInt16 = 4
  }
  static let descriptorSize = 16
  /// The alignment of a legacy queue, and the unit of its address (section 4.1.5.1.3.1).
  static let legacyAlignment: UInt64 = 4096
  /// Bytes of one chain: more than a request of any device here may have.
  static let largestChain: UInt64 = 64 << 20

  /// As long as the device lets it be.
  let maximumSize: UInt16
  var size: UInt16
  /// The driver has said that its parts are in place.
  var isEnabled = false
  var descriptorArea: UInt64 = 0
  var driverArea: UInt64 = 0
  var deviceArea: UInt64 = 0
  /// Entry of the available ring that comes next, counted without end.
  private(set) var nextAvailable: UInt16 = 0
  /// What the used ring's index says.
  private(set) var used: UInt16 = 0
  /// The used index when the device asked itself last whether to interrupt.
  private(set) var signalled: UInt16 = 0
  private(set) var hasSignalled = false
  /// Chains that the device has taken and not given back.
  private(set) var inUse: UInt16 = 0
  /// Until then the device looks by itself, again and again, when the queue is empty.
  var awakeUntil: UInt64 = 0

  init(maximumSize: UInt16) {
    self.maximumSize = maximumSize
    size = maximumSize
  }

  /// Puts the three parts where a legacy driver has them: one behind the other, the used ring at the next multiple of 4096 (section 2.7.2).
  mutating func place(legacyPage page: UInt32) {
    let n = UInt64(size)
    descriptorArea = UInt64(page) * Self.legacyAlignment
    driverArea = descriptorArea + 16 * n
    deviceArea = (driverArea + 2 * (3 + n) + Self.legacyAlignment - 1) & ~(Self.legacyAlignment - 1)
    isEnabled = page != 0
  }

  var legacyPage: UInt32 { UInt32(truncatingIfNeeded: descriptorArea / Self.legacyAlignment) }

  // MARK: The available ring

  /// Whether the driver has made buffers available that the device has not taken. Throws if its index is impossible.
  func hasAvailable(_ memory: any DMAPort) throws(VirtqueueFault) -> Bool {
    guard let index = memory.load(driverArea &+ 2, as: UInt16.self) else { throw .outsideMemory }
    let ahead = index &- nextAvailable
    guard ahead <= size else { throw .availableIndex }
    return ahead > 0
  }

  /// Takes the next chain; nil: there is none.
  mutating func take(_ memory: any DMAPort, number: Int, allowsIndirect: Bool) throws(VirtqueueFault) -> VirtqueueChain? {
    guard try hasAvailable(memory) else { return nil }
    guard inUse < size else { throw .overrun }
    let slot = UInt64(nextAvailable % size)
    guard let head = memory.load(driverArea &+ 4 &+ 2 * slot, as: UInt16.self) else { throw .outsideMemory }
    let chain = try self.chain(memory, number: number, head: head, allowsIndirect: allowsIndirect)
    nextAvailable &+= 1
    inUse += 1
    return chain
  }

  /// Reads the descriptors from `head` on, each once.
  private func chain(_ memory: any DMAPort, number: Int, head: UInt16, allowsIndirect: Bool) throws(VirtqueueFault)
    -> VirtqueueChain
  {
    var chain = VirtqueueChain(queue: number, head: head)
    var table = descriptorArea
    var entries = UInt32(size)
    var isIndirect = false
    var index = UInt32(head)
    var count = 0
    var total: UInt64 = 0
    while true {
      guard index < entries else { throw .descriptorIndex }
      let descriptor = try Descriptor(memory, table &+ UInt64(index) * UInt64(Self.descriptorSize))
      if descriptor.flags & Flag.indirect != 0 {
        guard allowsIndirect, !isIndirect, descriptor.flags & Flag.next == 0, descriptor.length > 0,
          descriptor.length % UInt32(Self.descriptorSize) == 0
        else { throw .indirect }
        isIndirect = true
        table = descriptor.address
        entries = descriptor.length / UInt32(Self.descriptorSize)
        index = 0
        continue
      }
      count += 1
      // Section 2.7.5.3.1: with indirect descriptors too.
      guard count <= Int(size) else { throw .chainLength }
      total += UInt64(descriptor.length)
      guard total <= Self.largestChain, !descriptor.address.addingReportingOverflow(UInt64(descriptor.length)).overflow else {
        throw .totalLength
      }
      let part = VirtqueueChain.Part(address: descriptor.address, length: Int(descriptor.length))
      if descriptor.flags & Flag.write != 0 {
        chain.writable.append(part)
      } else if chain.writable.isEmpty {
        chain.readable.append(part)
      } else {
        throw .order
      }
      guard descriptor.flags & Flag.next != 0 else { return chain }
      index = UInt32(descriptor.next)
    }
  }

  private struct Descriptor {
    let address: UInt64
    let length: UInt32
    let flags: UInt16
    let next: UInt16

    init(_ memory: any DMAPort, _ location: UInt64) throws(VirtqueueFault) {
      var words: (UInt64, UInt64) = (0, 0)
      guard withUnsafeMutableBytes(of: &words, { memory.read(location, into: $0) }) else { throw .outsideMemory }
      let high = UInt64(littleEndian: words.1)
      address = UInt64(littleEndian: words.0)
      length = UInt32(truncatingIfNeeded: high)
      flags = UInt16(truncatingIfNeeded: high >> 32)
      next = UInt16(truncatingIfNeeded: high >> 48)
    }
  }

  // MARK: The used ring

  /// Gives a chain back; `written`: bytes from the start of its writable part that the device has stored into.
  mutating func give(back chain: VirtqueueChain, written: Int, _ memory: any DMAPort) throws(VirtqueueFault) {
    let entry = deviceArea &+ 4 &+ 8 * UInt64(used % size)
    let value = UInt64(chain.head) | UInt64(UInt32(truncatingIfNeeded: written)) << 32
    // The entry first, then the index that shows it.
    guard memory.store(entry, value), memory.store(deviceArea &+ 2, used &+ 1) else { throw .outsideMemory }
    used &+= 1
    inUse = inUse > 0 ? inUse - 1 : 0
  }

  /// Whether the driver wants to be interrupted for what was given back since it was last (section 2.7.7).
  mutating func wantsInterrupt(_ memory: any DMAPort, eventIndex: Bool) throws(VirtqueueFault) -> Bool {
    if eventIndex {
      guard let event = memory.load(driverArea &+ 4 &+ 2 * UInt64(size), as: UInt16.self) else { throw .outsideMemory }
      // Section 2.7.7.2: the index has passed the one that the driver names.
      let passed = !hasSignalled || used &- event &- 1 < used &- signalled
      (signalled, hasSignalled) = (used, true)
      return passed
    }
    guard let flags = memory.load(driverArea, as: UInt16.self) else { throw .outsideMemory }
    return flags & 1 == 0
  }

  /// Says whether the device wants to hear of more buffers (section 2.7.10).
  func setNotifications(_ wanted: Bool, _ memory: any DMAPort, eventIndex: Bool) throws(VirtqueueFault) {
    if eventIndex {
      // What the field names stays behind as long as it is not renewed: no notification comes.
      guard wanted else { return }
      guard memory.store(deviceArea &+ 4 &+ 8 * UInt64(size), nextAvailable) else { throw .outsideMemory }
    } else {
      guard memory.store(deviceArea, UInt16(wanted ? 0 : 1)) else { throw .outsideMemory }
    }
  }
}
