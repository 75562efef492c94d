/// What the drive says about itself and the disc.
extension OpticalDrive {
  // MARK: SPC-2

  func inquiry(_ packet: PacketReader) -> Outcome {
    // No vital product data pages.
    guard packet[1] & 1 == 0, packet[2] == 0 else { return check(.invalidField) }
    let version: UInt8 = physicalInterface == 2 ? 0 : 4
    let format: UInt8 = physicalInterface == 2 ? 0x21 : 0x02
    let bytes: [UInt8] = [0x05, 0x80, version, format, 31, 0, 0, 0] + Array("EPICURE CD-ROM          1.0 ".utf8)
    return .data(allocated(bytes, packet.word(3)))
  }

  /// Mode pages of MMC-3, section 5.5.
  func modeSense(_ packet: PacketReader) -> Outcome {
    // There are no values that the drive keeps without power.
    guard packet[2] >> 6 != 3 else { return check(.savingNotSupported) }
    let changeable = packet[2] >> 6 == 1
    var pages: [UInt8] = []
    func add(_ code: UInt8, _ page: [UInt8]) {
      guard packet[2] & 0x3F == code || packet[2] & 0x3F == 0x3F else { return }
      pages += page.prefix(2) + (changeable ? [UInt8](repeating: 0, count: page.count - 2) : Array(page.dropFirst(2)))
    }
    // Read error recovery.
    add(0x01, [0x01, 10, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0])
    // Capabilities: reads CD-R, CD-RW, DVD-ROM and DVD-R, mode 2, more than one session; a tray that can be locked and ejected.
    let speed = bigEndian(UInt16(8467))  // kB/s: 48 times a CD's
    let mechanism: UInt8 = 0x29 | (state.isLocked ? 2 : 0)
    add(0x2A, [0x2A, 20, 0x1B, 0x00, 0x70, 0x00, mechanism, 0x00] + speed + [0, 0, 0x02, 0x00] + speed + [0, 0, 0, 0, 0, 0])
    guard !pages.isEmpty else { return check(.invalidField) }
    let length = bigEndian(UInt16(6 + pages.count))
    let medium: UInt8 = state.trayIsOpen ? 0x71 : blocks == nil ? 0x70 : 0x01
    return .data(allocated(length + [medium, 0, 0, 0, 0, 0] + pages, packet.word(7)))
  }

  // MARK: The disc

  private static func time(_ block: UInt64) -> [UInt8] {
    let frame = block + 150
    return [0, UInt8(truncatingIfNeeded: frame / 75 / 60), UInt8(frame / 75 % 60), UInt8(frame % 75)]
  }

  /// One session with one data track.
  func readTOC(_ packet: PacketReader, _ blocks: UInt64) -> Outcome {
    func address(_ block: UInt64) -> [UInt8] {
      packet[1] & 2 != 0 ? Self.time(block) : bigEndian(UInt32(truncatingIfNeeded: block))
    }
    // Drives of SFF-8020 had the format in the last byte.
    let format = packet[2] & 0xF != 0 ? packet[2] & 0xF : packet[9] >> 6
    var body: [UInt8] = [1, 1]
    switch format {
    case 0:
      let start = packet[6]
      guard start <= 1 || start == 0xAA else { return check(.invalidField) }
      if start <= 1 { body += [0, 0x14, 1, 0] + address(0) }
      body += [0, 0x14, 0xAA, 0] + address(blocks)
    case 1: body += [0, 0x14, 1, 0] + address(0)
    case 2:
      // First track, last track, lead-out, and the track itself: times only.
      for (point, place) in [(0xA0, [0, 1, 0, 0]), (0xA1, [0, 1, 0, 0]), (0xA2, Self.time(blocks)), (1, Self.time(0))]
        as [(
          UInt8, [UInt8]
        )]
      {
        body += [1, 0x14, 0, point, 0, 0, 0] + place
      }
    default: return check(.invalidField)
    }
    return .data(allocated(bigEndian(UInt16(body.count)) + body, packet.word(7)))
  }

  /// MMC-3, section 6.16: complete, one session, one track, not erasable.
  static let discInformation: [UInt8] = [0, 32, 0x0E, 1, 1, 1, 1, 0x20] + [UInt8](repeating: 0, count: 26)

  // MARK: Features (MMC-3, section 5.2)

  private static let cdROM: UInt16 = 0x08
  private static let dvdROM: UInt16 = 0x10
  /// More than the longest CD holds.
  private static let largestCD: UInt64 = 99 * 60 * 75

  private var profile: UInt16 { blocks.map { $0 > Self.largestCD ? Self.dvdROM : Self.cdROM } ?? 0 }

  func getConfiguration(_ packet: PacketReader) -> Outcome {
    let profile = self.profile
    func current(_ condition: Bool) -> UInt8 { condition ? 1 : 0 }
    func profiles() -> [UInt8] {
      [Self.dvdROM, Self.cdROM].flatMap { bigEndian($0) + [current(profile == $0), 0] }
    }
    let features: [(code: UInt16, flags: UInt8, data: [UInt8])] = [
      (0x0000, 0x03, profiles()),
      (0x0001, 0x03, bigEndian(physicalInterface)),  // core
      (0x0003, 0x03, [0x29, 0, 0, 0]),  // removable medium: a tray, ejects, can be locked
      (0x0010, current(profile != 0), bigEndian(UInt32(Self.blockSize)) + [0, 1, 0, 0]),  // random readable
      (0x001E, current(profile == Self.cdROM), [0, 0, 0, 0]),  // CD read
      (0x001F, current(profile == Self.dvdROM), []),  // DVD read
    ]
    let start = UInt16(packet.word(2))
    let wanted: (UInt16, UInt8) -> Bool
    switch packet[1] & 3 {
    case 0: wanted = { code, _ in code >= start }
    case 1: wanted = { code, flags in code >= start && flags & 1 != 0 }
    case 2: wanted = { code, _ in code == start }
    default: return check(.invalidField)
    }
    let list = features.filter { wanted($0.code, $0.flags) }.flatMap {
      bigEndian($0.code) + [$0.flags, UInt8($0.data.count)] + $0.data
    }
    return .data(allocated(bigEndian(UInt32(list.count + 4)) + [0, 0] + bigEndian(profile) + list, packet.word(7)))
  }

  /// MMC-3, section 6.6: only polled, only events of the medium.
  func getEventStatus(_ packet: PacketReader) -> Outcome {
    guard packet[1] & 1 != 0 else { return check(.invalidField) }
    let mediaClass: UInt8 = 4
    let supported: UInt8 = 1 << mediaClass
    guard packet[4] & supported != 0 else { return .data(allocated([0, 2, 0x80, supported], packet.word(7))) }
    let status: UInt8 = (state.trayIsOpen ? 1 : 0) | (blocks != nil ? 2 : 0)
    let bytes = [0, 6, mediaClass, supported, state.event.rawValue, status, 0, 0]
    if packet.word(7) > 4 { state.event = .none }
    return .data(allocated(bytes, packet.word(7)))
  }
}
