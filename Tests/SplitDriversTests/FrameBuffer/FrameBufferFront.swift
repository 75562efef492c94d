import Hypervisor
import SplitDrivers

/// xenfb by hand: the page, a directory, and a picture in frames that do not follow each other.
final class FrameBufferFront {
  let fixture: DriverFixture
  let domain: FrontDomain
  let page: UInt64
  let directory: UInt64
  let frames: [UInt64]
  let port: UInt32
  let backEnd: FrameBufferBackEnd
  let width: Int
  let height: Int
  let stride: Int

  /// `extra`: bytes of a line that no pixel is in.
  init(width: Int = 200, height: Int = 100, extra: Int = 24) throws {
    fixture = try DriverFixture()
    domain = try FrontDomain(5, fixture)
    (self.width, self.height, stride) = (width, height, 4 * width + extra)
    (page, directory) = (domain.page(), domain.page())
    let frameSize = Int(FrontDomain.frame)
    let count = (stride * height + frameSize - 1) / frameSize
    frames = (0..<count).map { [domain] _ in domain.page() }.reversed()
    port = try domain.port()
    backEnd = FrameBufferBackEnd(host: fixture.host, domain: 5, device: 0)
    domain.memory.store(page + 0x10, Int32(width))
    domain.memory.store(page + 0x14, Int32(height))
    domain.memory.store(page + 0x18, UInt32(stride))
    domain.memory.store(page + 0x1C, UInt32(stride * height))
    domain.memory.store(page + 0x20, 32 as UInt8)
    domain.memory.store(page + 0x28, directory / FrontDomain.frame)
    for (n, frame) in frames.enumerated() { domain.memory.store(directory + UInt64(8 * n), frame / FrontDomain.frame) }
    try fixture.host.plug(backEnd, name: "guest")
  }

  func key(_ name: String) -> String? { try? fixture.store.read(backEnd.path + "/" + name) }

  func connect(without missing: String = "", page reference: String? = nil) throws {
    let keys = [
      ("page-ref", reference ?? String(page / FrontDomain.frame)), ("event-channel", String(port)), ("protocol", "ia64-abi"),
      ("feature-update", "1"), ("state", "3"),
    ]
    try fixture.store.transaction {
      for (key, value) in keys where key != missing { $0.write(backEnd.frontPath + "/" + key, value) }
    }
  }

  func setState(_ state: Int) throws { try fixture.store.write(backEnd.frontPath + "/state", String(state)) }

  /// A place in memory by its distance from the first byte.
  func set(byte offset: Int, _ pixel: UInt32) {
    let frameSize = Int(FrontDomain.frame)
    domain.memory.store(frames[offset / frameSize] + UInt64(offset % frameSize), pixel)
  }
  func set(_ x: Int, _ y: Int, _ pixel: UInt32) { set(byte: y * stride + 4 * x, pixel) }

  func shown(_ x: Int, _ y: Int) -> UInt32 {
    backEnd.pixels.load(fromByteOffset: y * backEnd.stride + 4 * x, as: UInt32.self)
  }

  var produced: UInt32 {
    get { domain.memory.load(page + 0xC) ?? 0 }
    set { domain.memory.store(page + 0xC, newValue) }
  }

  func put(_ type: UInt8, _ numbers: [Int32]) {
    let slot = page + 0x800 + UInt64(produced % 51) * 40
    domain.memory.write(slot, [UInt8](repeating: 0, count: 40))
    domain.memory.store(slot, type)
    for (n, number) in numbers.enumerated() { domain.memory.store(slot + 4 + UInt64(4 * n), number) }
    produced &+= 1
  }

  func kick() throws { try fixture.events.send(port, from: 5) }

  func send(_ type: UInt8, _ numbers: Int32...) throws {
    put(type, numbers)
    try kick()
  }
}
