/// Which values MODE SENSE wants (SPC-3, section 6.9.1).
enum ModePageSelector: UInt8 {
  case current = 0
  case changeable = 1
  case initial = 2
  case saved = 3
}

/// A mode page without its two bytes of header.
struct ModePage {
  let code: UInt8
  let parameters: [UInt8]

  init(_ code: UInt8, _ parameters: [UInt8]) {
    self.code = code
    self.parameters = parameters
  }
}

/// MODE SENSE and MODE SELECT (SPC-3, sections 6.7 to 6.10).
extension SCSIUnit {
  /// Caching page (SBC-2, section 6.4.5): WCE and RCD can be changed.
  static let cachingPage: UInt8 = 0x08
  private static let writeCacheEnable: UInt8 = 0x04
  private static let readCacheDisable: UInt8 = 0x01

  func cachingPage(_ selector: ModePageSelector) -> ModePage {
    var parameters = [UInt8](repeating: 0, count: 18)
    switch selector {
    case .current:
      parameters[0] = (state.writeCacheEnabled ? Self.writeCacheEnable : 0) | (state.readCacheEnabled ? 0 : Self.readCacheDisable)
    case .changeable: parameters[0] = Self.writeCacheEnable | Self.readCacheDisable
    case .initial, .saved: parameters[0] = startsWithWriteCache ? Self.writeCacheEnable : 0
    }
    return ModePage(Self.cachingPage, parameters)
  }

  func modeSense(_ task: inout SCSITask) throws(SCSISense) {
    let command = task.command
    let isLong = command[0] == SCSIOperation.modeSense10
    guard let selector = ModePageSelector(rawValue: command[2] >> 6), selector != .saved else { throw .savingNotSupported }
    let code = command[2] & 0x3F
    let subpage = command[3]
    // No page has subpages; "all of them" are the pages themselves.
    guard subpage == 0 || subpage == 0xFF else { throw .invalidField(inCommand: 3) }
    let all = modePages(selector)
    let pages = code == 0x3F ? all : all.filter { $0.code == code }
    guard !pages.isEmpty else { throw .invalidField(inCommand: 2) }
    let descriptor = command[1] & 8 != 0 ? [] : modeBlockDescriptor
    var data = descriptor
    for page in pages { data += [page.code, UInt8(page.parameters.count)] + page.parameters }
    if isLong {
      var header: [UInt8] = []
      header.append(big: UInt16(data.count + 6))
      header += [0, modeDeviceParameter, 0, 0]
      header.append(big: UInt16(descriptor.count))
      task.answer(header + data, allocated: Int(command.get(7, as: UInt16.self)))
    } else {
      let header = [UInt8(data.count + 3), 0, modeDeviceParameter, UInt8(descriptor.count)]
      task.answer(header + data, allocated: Int(command[4]))
    }
  }

  func modeSelect(_ task: inout SCSITask) throws(SCSISense) {
    let command = task.command
    // Page format; nothing can be saved.
    guard command[1] & 0x11 == 0x10 else { throw .invalidField(inCommand: 1) }
    task.ask(command[0] == SCSIOperation.modeSelect10 ? Int(command.get(7, as: UInt16.self)) : Int(command[4]))
  }

  func applyModeParameters(_ task: SCSITask) throws(SCSISense) {
    let data = task.buffer
    let isLong = task.command[0] == SCSIOperation.modeSelect10
    let header = isLong ? 8 : 4
    guard data.count >= header else { throw .parameterListLength }
    let descriptorLength = isLong ? Int(data.get(6, as: UInt16.self)) : Int(data[3])
    guard descriptorLength == 0 || descriptorLength == modeBlockDescriptor.count else {
      throw .invalidField(inParameters: isLong ? 6 : 3)
    }
    guard data.count >= header + descriptorLength else { throw .parameterListLength }
    if descriptorLength == 8 {
      // Neither the number of blocks nor their size can be changed; zero means "as it is".
      let size = data.get(header + 4, as: UInt32.self) & 0xFF_FFFF
      guard size == 0 || size == UInt32(blockSize) else { throw .invalidField(inParameters: UInt16(header + 5)) }
    }
    let current = modePages(.current)
    let changeable = modePages(.changeable)
    var changes: [(code: UInt8, parameters: [UInt8])] = []
    var at = header + descriptorLength
    // All pages are checked before the first is changed.
    while at < data.count {
      guard at + 2 <= data.count else { throw .parameterListLength }
      let code = data[at] & 0x3F
      guard data[at] & 0x40 == 0, let index = current.firstIndex(where: { $0.code == code }) else {
        throw .invalidField(inParameters: UInt16(at))
      }
      let old = current[index].parameters
      guard Int(data[at + 1]) == old.count else { throw .invalidField(inParameters: UInt16(at + 1)) }
      guard at + 2 + old.count <= data.count else { throw .parameterListLength }
      let new = Array(data[at + 2..<at + 2 + old.count])
      for n in 0..<old.count where (new[n] ^ old[n]) & ~changeable[index].parameters[n] != 0 {
        throw .invalidField(inParameters: UInt16(at + 2 + n))
      }
      if new != old { changes.append((code, new)) }
      at += 2 + old.count
    }
    guard !changes.isEmpty else { return }
    for (code, parameters) in changes where code == Self.cachingPage {
      let cached = parameters[0] & Self.writeCacheEnable != 0
      // What the cache holds is written before it goes.
      if state.writeCacheEnabled && !cached { try flushNow() }
      state.writeCacheEnabled = cached
      state.readCacheEnabled = parameters[0] & Self.readCacheDisable == 0
    }
    attend(.modeParametersChanged, except: task.initiator)
  }
}
