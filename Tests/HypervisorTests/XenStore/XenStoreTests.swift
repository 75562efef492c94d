import Hypervisor
import Testing

/// Expected values: docs/misc/xenstore.txt, xen/include/public/io/xs_wire.h and xenstored's behaviour.
@Suite("XenStore") struct XenStoreTests {
  let fixture: StoreFixture
  var store: XenStore { fixture.store }

  init() throws { fixture = try StoreFixture() }

  private enum Kind {
    static let directory: UInt32 = 1
    static let read: UInt32 = 2
    static let getPermissions: UInt32 = 3
    static let watch: UInt32 = 4
    static let unwatch: UInt32 = 5
    static let start: UInt32 = 6
    static let end: UInt32 = 7
    static let domainPath: UInt32 = 10
    static let write: UInt32 = 11
    static let makeDirectory: UInt32 = 12
    static let remove: UInt32 = 13
    static let setPermissions: UInt32 = 14
    static let isIntroduced: UInt32 = 17
  }

  @Test func aGuestReadsAndWritesItsDirectory() throws {
    let guest = try fixture.client(3)
    #expect(try guest.ask(Kind.write, "device/vbd/768/state|3") == "OK|")
    #expect(try guest.ask(Kind.read, "/local/domain/3/device/vbd/768/state|") == "3")
    #expect(try guest.ask(Kind.write, "device/vbd/768/b|") == "OK|")
    #expect(try guest.ask(Kind.directory, "device/vbd/768|") == "state|b|")
    #expect(try guest.ask(Kind.read, "device/vbd/768/b|") == "")
    #expect(try guest.ask(Kind.makeDirectory, "data|") == "OK|")
    #expect(try guest.ask(Kind.makeDirectory, "data|") == "OK|")
    #expect(try guest.ask(Kind.remove, "device|") == "OK|")
    #expect(try guest.ask(Kind.remove, "device|") == "OK|")
    #expect(try guest.ask(Kind.remove, "device/vbd/768|") == "ENOENT|")
    #expect(try guest.ask(Kind.read, "device/vbd/768/state|") == "ENOENT|")
    #expect(try guest.ask(Kind.domainPath, "9|") == "/local/domain/9|")
    #expect(try guest.ask(Kind.isIntroduced, "3|") == "T|")
    #expect(try guest.ask(Kind.isIntroduced, "4|") == "F|")
    #expect(try store.list("/local/domain/3") == ["data"])
  }

  @Test func permissionsComeFromTheParentAndOwnersDiffer() throws {
    let (three, four) = (try fixture.client(3), try fixture.client(4))
    // Domain 3's own, default none.
    #expect(try three.ask(Kind.write, "a/b|1") == "OK|")
    #expect(try three.ask(Kind.getPermissions, "a/b|") == "n3|")
    #expect(try four.ask(Kind.read, "/local/domain/3/a/b|") == "EACCES|")
    #expect(try four.ask(Kind.read, "/local/domain/3/missing|") == "EACCES|")
    #expect(try four.ask(Kind.write, "/local/domain/3/a/b|2") == "EACCES|")
    #expect(try four.ask(Kind.remove, "/local/domain/3/a|") == "EACCES|")
    #expect(try three.ask(Kind.setPermissions, "a/b|n3|r4|") == "OK|")
    #expect(try four.ask(Kind.read, "/local/domain/3/a/b|") == "1")
    #expect(try four.ask(Kind.write, "/local/domain/3/a/b|2") == "EACCES|")
    #expect(try three.ask(Kind.setPermissions, "a/b|n3|b4|") == "OK|")
    #expect(try four.ask(Kind.write, "/local/domain/3/a/b|2") == "OK|")
    // What another domain makes there is its own, with the parent's rights.
    #expect(try four.ask(Kind.write, "/local/domain/3/a/b/c|x") == "OK|")
    #expect(try four.ask(Kind.getPermissions, "/local/domain/3/a/b/c|") == "n4|b4|")
    // Nodes are not given away, and others' permissions not changed.
    #expect(try three.ask(Kind.setPermissions, "a/b|n4|") == "EACCES|")
    #expect(try four.ask(Kind.setPermissions, "/local/domain/3/a/b|b4|") == "EACCES|")
    for bad in ["a/b|", "a/b|x3|", "a/b|r|", "a/b|r+3|", "a/b|r70000|"] {
      #expect(try three.ask(Kind.setPermissions, bad) == "EINVAL|")
    }
    // Domain 0 may all, and what it makes belongs to the parent's owner.
    try store.write("/local/domain/3/a/host", "1")
    #expect(try store.permissions(of: "/local/domain/3/a/host") == [StorePermission(.none, 3)])
    #expect(try three.ask(Kind.write, "/tool|x") == "EACCES|")
  }

  @Test func pathsAreChecked() throws {
    let guest = try fixture.client(3)
    for bad in ["", "a//b|", "a/|", "a b|", "a.b|", "ä|", "a|b|", "a"] {
      #expect(try guest.ask(Kind.read, bad) == "EINVAL|", "\(bad)")
    }
    #expect(try guest.ask(Kind.read, "/|") == "EACCES|")
    #expect(try guest.ask(Kind.write, String(repeating: "x", count: 2048) + "|") == "OK|")
    #expect(try guest.ask(Kind.write, String(repeating: "x", count: 2049) + "|") == "EINVAL|")
    let home = "/local/domain/3/"
    #expect(try guest.ask(Kind.write, home + String(repeating: "x", count: 3072 - home.count) + "|") == "OK|")
    #expect(try guest.ask(Kind.write, home + String(repeating: "x", count: 3073 - home.count) + "|") == "EINVAL|")
  }

  @Test func watchesTellOfWhatIsBelow() throws {
    let guest = try fixture.client(3)
    #expect(try guest.ask(Kind.watch, "device|tok|") == "OK|")
    #expect(try guest.takeWatchEvents() == ["device tok"])
    #expect(try guest.ask(Kind.watch, "device|tok|") == "EEXIST|")
    #expect(try guest.ask(Kind.watch, "/local/domain/3/device/vbd|abs|") == "OK|")
    #expect(try guest.takeWatchEvents() == ["/local/domain/3/device/vbd abs"])
    try store.write("/local/domain/3/device/vbd/768", "x")
    #expect(try guest.takeWatchEvents() == ["device/vbd/768 tok", "/local/domain/3/device/vbd/768 abs"])
    try store.write("/local/domain/3/devices", "x")
    #expect(try guest.takeWatchEvents() == [])
    // A parent that is removed: the watched path itself.
    try store.remove("/local/domain/3/device")
    #expect(try guest.takeWatchEvents() == ["device tok", "/local/domain/3/device/vbd abs"])
    #expect(try guest.ask(Kind.unwatch, "device|tok|") == "OK|")
    #expect(try guest.ask(Kind.unwatch, "device|tok|") == "ENOENT|")
    #expect(try guest.ask(Kind.watch, "@releaseDomain|t|") == "EACCES|")
    try store.setPermissions("/local/domain/3", [StorePermission(.none, 3)])
    #expect(try guest.takeWatchEvents() == [])
  }

  @Test func watchesTellNothingOfWhatIsHidden() throws {
    let (three, four) = (try fixture.client(3), try fixture.client(4))
    #expect(try four.ask(Kind.watch, "/local/domain/3|spy|") == "OK|")
    _ = try four.takeWatchEvents()
    #expect(try three.ask(Kind.write, "secret|1") == "OK|")
    #expect(try four.takeWatchEvents() == [])
    #expect(try three.ask(Kind.setPermissions, "secret|r3|") == "OK|")
    #expect(try four.takeWatchEvents() == ["/local/domain/3/secret spy"])
    #expect(try three.ask(Kind.remove, "secret|") == "OK|")
    #expect(try four.takeWatchEvents() == ["/local/domain/3/secret spy"])
  }

  private func number(_ answer: String) throws -> UInt32 { try #require(UInt32(answer.dropLast())) }

  @Test func transactionsAreSnapshotsThatFailOnConflicts() throws {
    let guest = try fixture.client(3)
    try guest.ask(Kind.watch, "a|t|")
    _ = try guest.takeWatchEvents()
    let first = try number(guest.ask(Kind.start, "|"))
    #expect(try guest.ask(Kind.write, "a|1", transaction: first) == "OK|")
    #expect(try guest.ask(Kind.read, "a|") == "ENOENT|")
    #expect(try guest.ask(Kind.read, "a|", transaction: first) == "1")
    #expect(try guest.takeWatchEvents() == [])
    #expect(try guest.ask(Kind.end, "T|", transaction: first) == "OK|")
    #expect(try guest.takeWatchEvents() == ["a t"])
    #expect(try guest.ask(Kind.read, "a|") == "1")
    let second = try number(guest.ask(Kind.start, "|"))
    #expect(try guest.ask(Kind.write, "a|2", transaction: second) == "OK|")
    try store.write("/elsewhere", "x")
    #expect(try guest.ask(Kind.end, "T|", transaction: second) == "EAGAIN|")
    #expect(try guest.ask(Kind.read, "a|") == "1" && guest.takeWatchEvents() == [])
    let third = try number(guest.ask(Kind.start, "|"))
    #expect(try guest.ask(Kind.remove, "a|", transaction: third) == "OK|")
    #expect(try guest.ask(Kind.end, "F|", transaction: third) == "OK|")
    #expect(try guest.ask(Kind.read, "a|") == "1")
    #expect(try guest.ask(Kind.end, "T|", transaction: third) == "ENOENT|")
    #expect(try guest.ask(Kind.read, "a|", transaction: 99) == "ENOENT|")
    #expect(try guest.ask(Kind.end, "X|", transaction: 99) == "EINVAL|")
    let fourth = try number(guest.ask(Kind.start, "|"))
    #expect(try guest.ask(Kind.start, "|", transaction: fourth) == "EBUSY|")
  }

  @Test func quotas() throws {
    let guest = try fixture.client(3)
    // Its directory is one.
    for index in 1..<1000 { #expect(try guest.ask(Kind.write, "n\(index)|") == "OK|") }
    #expect(try guest.ask(Kind.write, "more|") == "ENOSPC|")
    #expect(try guest.ask(Kind.write, "n1|again") == "OK|")
    #expect(try guest.ask(Kind.remove, "n1|") == "OK|")
    #expect(try guest.ask(Kind.write, "a/b|") == "ENOSPC|")
    #expect(try guest.ask(Kind.write, "more|") == "OK|")
    #expect(try guest.ask(Kind.write, "more|" + String(repeating: "v", count: 2048)) == "OK|")
    #expect(try guest.ask(Kind.write, "more|" + String(repeating: "v", count: 2049)) == "ENOSPC|")
    for index in 0..<128 { #expect(try guest.ask(Kind.watch, "w|\(index)|") == "OK|") }
    #expect(try guest.ask(Kind.watch, "w|128|") == "EINVAL|")
    for _ in 0..<10 { _ = try number(guest.ask(Kind.start, "|")) }
    #expect(try guest.ask(Kind.start, "|") == "ENOSPC|")
    try store.write("/local/domain/3/host-may", String(repeating: "v", count: 5000))
    // An answer that does not fit.
    #expect(try guest.ask(Kind.read, "host-may|") == "EINVAL|")
  }

  @Test func onlyDomainZeroIntroduces() throws {
    let guest = try fixture.client(3)
    for kind in [0, 8, 9, 18, 19] as [UInt32] { #expect(try guest.ask(kind, "4|5|6|") == "EACCES|") }
    for kind in [15, 16, 20, 22, .max] as [UInt32] { #expect(try guest.ask(kind, "4|") == "ENOSYS|") }
    try guest.ask(Kind.watch, "a|t|")
    #expect(try guest.ask(21, "|") == "OK|")
    #expect(try guest.ask(Kind.unwatch, "a|t|") == "ENOENT|")
  }

  @Test func theHostWatchesAndWritesInBatches() throws {
    var seen: [String] = []
    let watch = try store.watch("/vm") { [store] path in
      seen.append(path)
      // What a handler causes comes later.
      if path == "/vm/a" { try? store.write("/vm/b", "2") }
    }
    let special = try store.watch("@introduceDomain") { seen.append($0) }
    #expect(seen == ["/vm", "@introduceDomain"])
    try store.transaction {
      $0.write("/vm/a", "1")
      $0.write("/vm/c", "3")
    }
    #expect(seen == ["/vm", "@introduceDomain", "/vm/a", "/vm/c", "/vm/b"])
    #expect(throws: StoreError.invalid) {
      try store.transaction {
        $0.write("/vm/d", "1")
        $0.write("/vm/.", "1")
      }
    }
    #expect(!store.exists("/vm/d") && seen.count == 5)
    _ = try fixture.client(3)
    #expect(seen.last == "@introduceDomain" && store.isIntroduced(3))
    store.unwatch(watch)
    store.unwatch(special)
    try store.write("/vm/a", "2")
    #expect(seen.last == "@introduceDomain")
    #expect(throws: StoreError.exists) { try store.introduce(3, frame: 5, port: 1) }
    #expect(throws: StoreError.invalid) { try store.introduce(9, frame: 5, port: 1) }
    let free = fixture.pool.free
    store.release(3)
    #expect(!store.isIntroduced(3) && fixture.pool.free == free)
  }
}
