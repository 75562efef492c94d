import Devices
import HostResources
import Testing

/// A CD-ROM drive. Expected values: MMC-4, by section.
@Suite struct SCSICDROMTests {
  let storage = MemoryStorage(blocks: 400)
  let drive: SCSICDROM
  let transport: DirectTransport

  init() {
    storage.isReadOnly = true
    for n in 0..<100 { storage.bytes[n * 2048] = UInt8(n) }
    drive = SCSICDROM(storage: storage)
    transport = DirectTransport(unit: drive)
    _ = transport.run([0, 0, 0, 0, 0, 0])
  }

  @Test func inquiryAndCapacity() {
    let data = transport.run([0x12, 0, 0, 0, 36, 0]).data
    #expect(data[0] == 5 && data[1] == 0x80)
    #expect(transport.run([0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0]).data == [0, 0, 0, 99, 0, 0, 8, 0])
  }

  @Test func reading() {
    let data = transport.run([0x28, 0, 0, 0, 0, 7, 0, 0, 2, 0]).data
    #expect(data.count == 4096 && data[0] == 7 && data[2048] == 8)
    #expect(transport.run([0xA8, 0, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0]).data[0] == 9)
    // READ CD, user data (section 6.21).
    #expect(transport.run([0xBE, 0, 0, 0, 0, 4, 0, 0, 1, 0x10, 0, 0]).data[0] == 4)
    #expect(transport.run([0x28, 0, 0, 0, 0, 99, 0, 0, 2, 0]).sense?.additional == 0x2100)
    #expect(transport.run([0x2A, 0, 0, 0, 0, 0, 0, 0, 1, 0], data: [UInt8](repeating: 0, count: 2048)).sense?.additional == 0x2000)
  }

  /// Section 6.31: one data track, and the lead-out; addresses as blocks, and as time with 2 seconds of lead-in.
  @Test func tableOfContents() {
    #expect(
      transport.run([0x43, 0, 0, 0, 0, 0, 0, 0, 255, 0]).data
        == [0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0, 0, 0x14, 0xAA, 0, 0, 0, 0, 100])
    #expect(
      transport.run([0x43, 2, 0, 0, 0, 0, 0xAA, 0, 255, 0]).data == [0, 10, 1, 1, 0, 0x14, 0xAA, 0, 0, 0, 3, 25])
    #expect(transport.run([0x43, 0, 1, 0, 0, 0, 0, 0, 255, 0]).data == [0, 10, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0])
  }

  /// Sections 6.5 and 6.6.
  @Test func configurationAndEvents() {
    let all = transport.run([0x46, 0, 0, 0, 0, 0, 0, 1, 0, 0]).data
    #expect(all.count == Int(all[3]) + 4)
    #expect(Array(all[6..<8]) == [0, 8])  // CD-ROM
    #expect(transport.run([0x46, 2, 0, 0x10, 0, 0, 0, 1, 0, 0]).data[8...9] == [0, 0x10])
    #expect(transport.run([0x4A, 1, 0, 0, 0x10, 0, 0, 0, 8, 0]).data == [0, 6, 4, 0x10, 0, 2, 0, 0])
    #expect(transport.run([0x4A, 0, 0, 0, 0x10, 0, 0, 0, 8, 0]).sense?.additional == 0x2400)
  }

  @Test func mediumComesAndGoes() {
    #expect(transport.run([0x1E, 0, 0, 0, 1, 0]).status == .good)
    #expect(transport.run([0x1B, 0, 0, 0, 2, 0]).sense?.additional == 0x5302)
    #expect(transport.run([0x1E, 0, 0, 0, 0, 0]).status == .good)
    #expect(transport.run([0x1B, 0, 0, 0, 2, 0]).status == .good)
    #expect(transport.run([0, 0, 0, 0, 0, 0]).sense?.additional == 0x3A00)
    #expect(transport.run([0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0]).sense?.additional == 0x3A00)
    drive.change(MemoryStorage(blocks: 8))
    #expect(transport.run([0, 0, 0, 0, 0, 0]).sense?.additional == 0x2800)
    #expect(transport.run([0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0]).data == [0, 0, 0, 1, 0, 0, 8, 0])
  }
}
