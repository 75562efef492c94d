import Hypervisor
import SplitDrivers
import Testing

/// Expected values: xen/include/public/io/kbdif.h, and Linux's input-event-codes.h.
@Suite("Virtual keyboards") struct KeyboardBackEndTests {
  let fixture: DriverFixture
  let domain: FrontDomain
  let page: UInt64
  let port: UInt32
  let backEnd: KeyboardBackEnd

  init() throws {
    fixture = try DriverFixture()
    domain = try FrontDomain(5, fixture)
    page = domain.page()
    port = try domain.port()
    backEnd = KeyboardBackEnd(host: fixture.host, domain: 5, device: 0)
    try fixture.host.plug(backEnd, name: "guest")
  }

  private func key(_ name: String) -> String? { try? fixture.store.read(backEnd.path + "/" + name) }
  private func word(_ offset: UInt64) -> UInt32 { domain.memory.load(page + offset) ?? 0 }

  /// As xenkbd does: Initialised, and then Connected with what it wants.
  private func connect(absolute: Bool = true) throws {
    let (path, page, port) = (backEnd.frontPath, page, port)
    try fixture.store.transaction {
      $0.write(path + "/page-ref", String(page / FrontDomain.frame))
      $0.write(path + "/event-channel", String(port))
      $0.write(path + "/state", "3")
    }
    if absolute { try fixture.store.write(path + "/request-abs-pointer", "1") }
    try fixture.store.write(path + "/state", "4")
    #expect(key("state") == "4")
  }

  /// Events that wait, as type, and what follows by type.
  private func take() -> [[Int]] {
    var list: [[Int]] = []
    while word(0) != word(4) {
      let slot = page + 0x400 + UInt64(word(0) % 51) * 40
      let type: UInt8 = domain.memory.load(slot) ?? 0
      let pressed: UInt8 = domain.memory.load(slot + 1) ?? 0
      let numbers = (0..<3).map { n in Int(domain.memory.load(slot + 4 + UInt64(4 * n), as: Int32.self) ?? 0) }
      list.append(type == 3 ? [3, Int(pressed), numbers[0]] : [Int(type)] + numbers)
      domain.memory.store(page, word(0) &+ 1)
    }
    return list
  }

  @Test func keys() throws {
    #expect(key("state") == "2" && key("feature-abs-pointer") == "1")
    // Nobody is there, and nobody wants it later.
    backEnd.key(30, isDown: true)
    try connect()
    backEnd.key(30, isDown: true)
    #expect(domain.takeEvent(port))
    backEnd.key(30, isDown: false)
    #expect(take() == [[3, 1, 30], [3, 0, 30]])
  }

  @Test func absolutePlaces() throws {
    try connect()
    backEnd.pointer(x: 100, y: 50, buttons: 0)
    backEnd.pointer(x: 100, y: 50, buttons: 1)
    backEnd.pointer(x: 101, y: 50, buttons: 0b110)
    backEnd.pointer(x: 101, y: 50, buttons: 0)
    // BTN_LEFT, BTN_MIDDLE, BTN_RIGHT.
    #expect(
      take() == [
        [4, 100, 50, 0], [3, 1, 0x110], [4, 101, 50, 0], [3, 0, 0x110], [3, 1, 0x112], [3, 1, 0x111], [3, 0, 0x112], [3, 0, 0x111],
      ])
    // The wheel: xenkbd turns the sign around.
    backEnd.pointer(x: 101, y: 50, buttons: 8)
    backEnd.pointer(x: 101, y: 50, buttons: 0)
    backEnd.pointer(x: 101, y: 50, buttons: 16)
    #expect(take() == [[4, 101, 50, -1], [4, 101, 50, 1]])
  }

  @Test func relativePlaces() throws {
    try connect(absolute: false)
    backEnd.pointer(x: 100, y: 50, buttons: 0)
    backEnd.pointer(x: 90, y: 55, buttons: 0)
    #expect(take() == [[1, 100, 50, 0], [1, -10, 5, 0]])
  }

  /// 51 slots; what does not fit waits until the front end has taken something.
  @Test func inputWaitsForRoom() throws {
    domain.memory.store(page, 1000 as UInt32)
    domain.memory.store(page + 4, 1000 as UInt32)
    try connect()
    for code in 0..<200 { backEnd.key(UInt16(code), isDown: true) }
    #expect(word(4) &- word(0) == 51)
    var seen: [Int] = []
    for _ in 0..<4 {
      seen += take().map { $0[2] }
      try fixture.events.send(port, from: 5)
    }
    #expect(seen == Array(0..<200))
    // A front end that takes nothing does not cost more and more.
    for _ in 0..<5000 { backEnd.key(1, isDown: true) }
    #expect(backEnd.statistics.refusals == UInt64(5000 - 51 - KeyboardBackEnd.waitingLimit))
  }

  /// Indices run freely, through the end of 32 bits too.
  @Test func indicesWrap() throws {
    domain.memory.store(page, UInt32.max - 20)
    domain.memory.store(page + 4, UInt32.max - 20)
    try connect()
    for code in 0..<100 {
      backEnd.key(UInt16(code), isDown: true)
      #expect(take() == [[3, 1, code]])
    }
  }

  @Test(arguments: [1, 52, .max - 51, 0x8000_0000] as [UInt32]) func indicesThatJumpEndTheConnection(_ jump: UInt32) throws {
    try connect()
    domain.memory.store(page, jump)
    backEnd.key(30, isDown: true)
    #expect(key("state") == "5" && fixture.reports.count == 1)
    backEnd.key(30, isDown: false)
    #expect(fixture.reports.count == 1)
    // Through Closed and Initialising it may come back.
    let path = backEnd.frontPath + "/state"
    try fixture.store.write(path, "6")
    try fixture.store.write(path, "1")
    domain.memory.store(page, 0 as UInt32)
    domain.memory.store(page + 4, 0 as UInt32)
    try connect()
    backEnd.key(31, isDown: true)
    #expect(take() == [[3, 1, 31]])
  }

  /// The page says what it wants of the host's own index.
  @Test func indexOfTheHostIsItsOwn() throws {
    try connect()
    domain.memory.store(page + 4, 0xDEAD_BEEF as UInt32)
    backEnd.key(30, isDown: true)
    #expect(word(4) == 1)
  }

  @Test(arguments: ["", "x", "-1", "128", "18446744073709551615", "18446744073709551616"]) func pagesOfNobody(_ reference: String)
    throws
  {
    let path = backEnd.frontPath
    let port = port
    try fixture.store.transaction {
      $0.write(path + "/page-ref", reference)
      $0.write(path + "/event-channel", String(port))
      $0.write(path + "/state", "3")
    }
    #expect(key("state") == "5" && fixture.reports.count == 1)
  }
}
