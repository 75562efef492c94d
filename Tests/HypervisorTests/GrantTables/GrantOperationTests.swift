import Hypervisor
import Testing

@Suite("Grant operations") struct GrantOperationTests {
  let fixture: GrantFixture
  var grants: GrantTables { fixture.grants }
  var one: ServiceDomain { fixture.one }
  var two: ServiceDomain { fixture.two }
  private static let frame = FramePool.frameSize

  init() throws { fixture = try GrantFixture() }

  @Test func transfersMoveAPage() throws {
    let free = fixture.pool.free
    one.store(9 * Self.frame, 0x9999 as UInt64)
    #expect(two.memory.giveUp(20))
    fixture.grant(8, in: two, flags: 2, to: 1, frame: 20)
    let machine = one.memory.machine(9 * Self.frame).map { UInt32($0 >> 14) }
    try grants.transfer(9, to: 2, reference: 8, by: 1)
    // accept_transfer, committed, completed; the frame is the machine's.
    #expect(fixture.flags(8, in: two) == 0b1110)
    #expect(two.load(GrantTables.paravirtualizedPlace + 68, as: UInt32.self) == machine)
    #expect(two.load(20 * Self.frame, as: UInt64.self) == 0x9999 && one.load(9 * Self.frame, as: UInt64.self) == nil)
    #expect(fixture.pool.free == free + Self.frame)
    #expect(throws: GrantStatus.generalError) { try grants.transfer(10, to: 2, reference: 8, by: 1) }
  }

  @Test func transfersThatAreRefusedChangeNothing() throws {
    one.store(9 * Self.frame, 0x9999 as UInt64)
    fixture.grant(8, in: two, flags: 2, to: 1, frame: 20)
    #expect(throws: GrantStatus.badPage) { try grants.transfer(64, to: 2, reference: 8, by: 1) }
    #expect(throws: GrantStatus.badPage) { try grants.transfer(.max, to: 2, reference: 8, by: 1) }
    #expect(throws: GrantStatus.badDomain) { try grants.transfer(9, to: 5, reference: 8, by: 1) }
    #expect(throws: GrantStatus.generalError) { try grants.transfer(9, to: 2, reference: 9, by: 1) }
    #expect(throws: GrantStatus.generalError) { try grants.transfer(9, to: 2, reference: .max, by: 1) }
    fixture.grant(9, in: two, flags: 2, to: 3, frame: 20)
    #expect(throws: GrantStatus.generalError) { try grants.transfer(9, to: 2, reference: 9, by: 1) }
    // A place that is none.
    fixture.grant(9, in: two, flags: 2, to: 1, frame: 64)
    #expect(throws: GrantStatus.generalError) { try grants.transfer(9, to: 2, reference: 9, by: 1) }
    #expect(fixture.flags(9, in: two) == 2)
    // A page that somebody else has mapped.
    fixture.grant(8, in: one, flags: 1, to: 0, frame: 9)
    let mapping = try grants.mapForHost(8, of: 1)
    #expect(throws: GrantStatus.badPage) { try grants.transfer(9, to: 2, reference: 8, by: 1) }
    grants.unmapForHost(mapping)
    #expect(one.load(9 * Self.frame, as: UInt64.self) == 0x9999)
  }

  private func copy(
    _ source: GrantTables.CopyEnd.Page, _ from: UInt16, _ destination: GrantTables.CopyEnd.Page, _ to: UInt16,
    offsets: (UInt16, UInt16) = (0, 0),
    length: UInt16 = 8
  ) throws {
    try grants.copy(
      .init(from: .init(source, of: from, offset: offsets.0), to: .init(destination, of: to, offset: offsets.1), length: length),
      by: 1)
  }

  @Test func copiesGoBothWays() throws {
    fixture.grant(8, in: two, flags: 1 | 4, to: 1, frame: 3)
    fixture.grant(9, in: two, flags: 1, to: 1, frame: 4)
    two.store(3 * Self.frame + 0x3FF8, 0xABCD as UInt64)
    try copy(.granted(8), 2, .frame(7), 0x7FF0, offsets: (0x3FF8, 16))
    #expect(one.load(7 * Self.frame + 16, as: UInt64.self) == 0xABCD)
    try copy(.frame(7), 0x7FF0, .granted(9), 2, offsets: (16, 0))
    #expect(two.load(4 * Self.frame, as: UInt64.self) == 0xABCD)
    try copy(.granted(8), 2, .granted(9), 2, offsets: (0x3FF8, 8))
    #expect(two.load(4 * Self.frame + 8, as: UInt64.self) == 0xABCD)
    #expect(fixture.flags(8, in: two) == 5 && fixture.flags(9, in: two) == 1)
    #expect(grants.statistics.copies == 3 && grants.statistics.copiedBytes == 24)
  }

  @Test func copiesThatAreRefused() throws {
    fixture.grant(8, in: two, flags: 1 | 4, to: 1, frame: 3)
    #expect(throws: GrantStatus.badCopyArgument) { try copy(.granted(8), 2, .frame(7), 0x7FF0, offsets: (0x3FF9, 0)) }
    #expect(throws: GrantStatus.badCopyArgument) { try copy(.granted(8), 2, .frame(7), 0x7FF0, offsets: (0, 0xFFFF), length: .max) }
    #expect(throws: GrantStatus.permissionDenied) { try copy(.frame(1), 2, .frame(7), 0x7FF0) }
    #expect(throws: GrantStatus.permissionDenied) { try copy(.granted(8), 2, .frame(7), 2) }
    #expect(throws: GrantStatus.badDomain) { try copy(.granted(8), 9, .frame(7), 0x7FF0) }
    #expect(throws: GrantStatus.badReference) { try copy(.granted(5000), 2, .frame(7), 0x7FF0) }
    // Read-only, and a page that is not the caller's own.
    #expect(throws: GrantStatus.generalError) { try copy(.frame(7), 0x7FF0, .granted(8), 2) }
    #expect(throws: GrantStatus.generalError) { try copy(.granted(8), 2, .frame(64), 0x7FF0) }
    #expect(throws: GrantStatus.generalError) { try copy(.granted(8), 2, .frame(GrantTables.paravirtualizedPlace >> 14), 0x7FF0) }
    #expect(fixture.flags(8, in: two) == 5 && grants.statistics.copies == 0)
  }

  @Test func theHostMapsAndCopies() throws {
    fixture.grant(8, in: one, flags: 1, to: 0, frame: 9)
    one.store(9 * Self.frame + 4, 0x1122_3344 as UInt32)
    let mapping = try grants.mapForHost(8, of: 1, readOnly: true)
    #expect(mapping.load(4, as: UInt32.self) == 0x1122_3344 && fixture.flags(8, in: one) == 0b1001)
    let writable = try grants.mapForHost(8, of: 1)
    writable.store(8, 5 as UInt8)
    #expect(one.load(9 * Self.frame + 8, as: UInt8.self) == 5 && fixture.flags(8, in: one) == 0b11001)
    grants.unmapForHost(writable)
    #expect(fixture.flags(8, in: one) == 0b1001)
    grants.unmapForHost(mapping)
    grants.unmapForHost(mapping)
    #expect(fixture.flags(8, in: one) == 1)
    let bytes = try grants.copyForHost(from: .init(8, of: 1, offset: 4), count: 4)
    #expect(bytes == [0x44, 0x33, 0x22, 0x11])
    try grants.copyForHost(to: .init(8, of: 1, offset: 0x3FFC), bytes)
    #expect(one.load(9 * Self.frame + 0x3FFC, as: UInt32.self) == 0x1122_3344)
    for offset in [-1, 0x3FFD, .max] {
      #expect(throws: GrantStatus.badCopyArgument) {
        try grants.copyForHost(to: .init(8, of: 1, offset: offset), bytes)
      }
    }
    fixture.grant(9, in: one, flags: 5, to: 0, frame: 9)
    #expect(throws: GrantStatus.generalError) { try grants.mapForHost(9, of: 1) }
    #expect(throws: GrantStatus.generalError) {
      try grants.copyForHost(to: .init(9, of: 1, offset: 0), bytes)
    }
  }

  /// A page that a domain shares by its number stays what it is, even if the domain gives it up.
  @Test func framesThatTheHostMapsAreHeld() throws {
    let mapping = try grants.mapFrameForHost(5, of: 1)
    let free = fixture.pool.free
    #expect(one.memory.giveUp(5) && one.memory.populate(5) == (free > 0))
    mapping.store(0, 7 as UInt8)
    #expect(one.load(5 * Self.frame, as: UInt8.self) == 0)
    grants.unmapForHost(mapping)
    #expect(fixture.pool.free == free)
    #expect(throws: GrantStatus.badPage) { try grants.mapFrameForHost(64, of: 1) }
    #expect(throws: GrantStatus.badDomain) { try grants.mapFrameForHost(5, of: 9) }
  }

  @Test func structuresAreThoseOfTheHeader() throws {
    let sizes = [0x20, 0x18, 0x18, 4, 0x18, 0x28, 0x10, 0x18]
    for (command, size) in sizes.enumerated() { #expect(GrantTables.elementSize(UInt64(command)) == size) }
    #expect(GrantTables.elementSize(8) == nil)
    fixture.grant(8, in: two, flags: 1, to: 1, frame: 3)
    two.store(3 * Self.frame, 0x42 as UInt8)
    var map: [UInt8] = [0, 0, 0, 0, 0, 2, 0, 0] + [2, 0, 0, 0, 8, 0, 0, 0, 2, 0] + [UInt8](repeating: 0xEE, count: 14)
    #expect(grants.perform(0, element: &map, for: one) { _, _ in false } == 0)
    #expect(map[0x12...0x13] == [0, 0] && map[0x14...0x17] == [0, 0, 0, 0])
    #expect(map.field(0x18, as: UInt64.self) == two.memory.machine(3 * Self.frame))
    #expect(one.load(0x200_0000_0000, as: UInt8.self) == 0x42)
    var again = map
    #expect(grants.perform(0, element: &again, for: one) { _, _ in false } == 0)
    #expect(again.field(0x12, as: Int16.self) == -5)
    var unmap: [UInt8] = [0, 0, 0, 0, 0, 2, 0, 0] + [UInt8](repeating: 0, count: 16)
    #expect(grants.perform(1, element: &unmap, for: one) { _, _ in false } == 0 && unmap.field(0x14, as: Int16.self) == 0)
    var list: [UInt64] = []
    var setUp: [UInt8] = [0xF0, 0x7F, 0, 0, 2, 0, 0, 0] + [UInt8](repeating: 0x11, count: 16)
    #expect(
      grants.perform(2, element: &setUp, for: one) { handle, frames in
        list = frames
        return handle == 0x1111_1111_1111_1111
      } == 0)
    #expect(list == [0x4000041, 0x4000042] && setUp.field(8, as: Int16.self) == 0)
    setUp[4] = 33
    #expect(grants.perform(2, element: &setUp, for: one) { _, _ in false } == 0 && setUp.field(8, as: Int16.self) == -1)
    var query: [UInt8] = [0xF0, 0x7F] + [UInt8](repeating: 0, count: 14)
    #expect(grants.perform(6, element: &query, for: one) { _, _ in false } == 0)
    #expect(query[4...] == [2, 0, 0, 0, 32, 0, 0, 0, 0, 0, 0, 0])
    var dump: [UInt8] = [2, 0, 0, 0]
    #expect(grants.perform(3, element: &dump, for: one) { _, _ in false } == 0 && dump == [2, 0, 0xF8, 0xFF])
    // From reference 8 of domain 2 at offset 0 to frame 7 at offset 4, one byte.
    var copy = [UInt8](repeating: 0, count: 0x28)
    copy[0] = 8
    copy[8] = 2
    copy[0x10] = 7
    copy.setField(0x18, 0x7FF0 as UInt16)
    copy[0x1A] = 4
    copy[0x20] = 1
    copy[0x22] = 1
    #expect(grants.perform(5, element: &copy, for: one) { _, _ in false } == 0 && copy.field(0x24, as: Int16.self) == 0)
    #expect(one.load(7 * Self.frame + 4, as: UInt8.self) == 0x42)
    // Frame 7 to domain 2's reference 9.
    fixture.grant(9, in: two, flags: 2, to: 1, frame: 30)
    var transfer: [UInt8] = [7, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 9, 0, 0, 0] + [UInt8](repeating: 0, count: 8)
    #expect(grants.perform(4, element: &transfer, for: one) { _, _ in false } == 0 && transfer.field(0x10, as: Int16.self) == 0)
    #expect(two.load(30 * Self.frame + 4, as: UInt8.self) == 0x42)
    #expect(grants.perform(8, element: &transfer, for: one) { _, _ in false } == -38)
  }

  /// Guests write any entries and pass any arguments. No frame is ever two domains' own, all that was mapped can be unmapped, and in the end
  /// the pool has what it had.
  @Test(arguments: [11, 12, 13] as [UInt64]) func nothingLeaksWhateverGuestsDo(seed: UInt64) throws {
    print("grant tables, seed \(seed)")
    var random = SeededGenerator(state: seed)
    var mappings: [HostMapping] = []
    do {
      let fixture = self.fixture
      for round in 0..<6_000 {
        let domain = Bool.random(using: &random) ? fixture.one : fixture.two
        let frame = [0, 1, 2, 3, 60, 64, 0x4000041, .max].randomElement(using: &random) ?? 0 as UInt32
        fixture.grant(
          UInt32.random(in: 0..<8, using: &random), in: domain,
          flags: [0, 1, 1, 1, 5, 2, 2, 0x21, 9, .max].randomElement(using: &random) ?? 0,
          to: UInt16.random(in: 0...3, using: &random), frame: frame)
        let command = UInt64.random(in: 0...8, using: &random)
        var element = [UInt8](repeating: 0, count: GrantTables.elementSize(command) ?? 0)
        for index in element.indices where UInt8.random(in: 0...2, using: &random) == 0 {
          element[index] = [1, 2, 3, 7, 0x40, 0xFF].randomElement(using: &random) ?? 0
        }
        if !element.isEmpty, command != 2, command != 3, command != 6 {
          let address = UInt64.random(in: 0...66, using: &random) * (command == 4 ? 1 : Self.frame)
          element.setField(0, command == 5 ? UInt64.random(in: 0...9, using: &random) : address)
        }
        #expect(grants.perform(command, element: &element, for: domain) { _, _ in true } <= 0)
        if let mapping = try? grants.mapForHost(UInt32.random(in: 0..<8, using: &random), of: domain.domainNumber) {
          mapping.store(0, UInt32(round))
          mappings.append(mapping)
        }
        if mappings.count > 4 { grants.unmapForHost(mappings.removeFirst()) }
        if UInt8.random(in: 0...7, using: &random) == 0 {
          _ = domain.memory.giveUp(UInt64.random(in: 0...8, using: &random))
          _ = domain.memory.populate(UInt64.random(in: 0...8, using: &random))
        }
      }
      var owners: [UInt64: UInt16] = [:]
      for domain in [fixture.one, fixture.two] {
        for frame in 0..<ServiceDomain.frames where domain.memory.isOwn(frame) {
          guard let machine = domain.memory.machine(frame << 14) else { continue }
          #expect(owners.updateValue(domain.domainNumber, forKey: machine) == nil)
        }
      }
      #expect(grants.statistics.maps > 100 && grants.statistics.refusals > 1000)
    }
    grants.remove(1)
    grants.remove(2)
    for mapping in mappings { grants.unmapForHost(mapping) }
    let lent = (fixture.one.memory.promised + fixture.two.memory.promised) * Self.frame
    // The first MiB, and a shared_info for each domain.
    #expect(fixture.pool.free == (15 << 20) - lent - 2 * Self.frame)
  }
}
