/// INQUIRY, REQUEST SENSE, REPORT LUNS (SPC-3, sections 6.4, 6.27, 6.21) and the echo buffer.
extension SCSIUnit {
  static let vendor = "EPICURE"
  static let revision = "1.0"

  func inquire(_ task: inout SCSITask) throws(SCSISense) {
    let command = task.command
    let allocated = Int(command.get(3, as: UInt16.self))
    guard command[1] & 1 != 0 else {
      // The bit for command support data went out of use before SPC-3.
      guard command[1] & 2 == 0 else { throw .invalidField(inCommand: 1) }
      guard command[2] == 0 else { throw .invalidField(inCommand: 2) }
      return task.answer(standardInquiryData, allocated: allocated)
    }
    let data: [UInt8]
    switch command[2] {
    case 0x00: data = [0x00, 0x80, 0x83] + vitalProductPages
    case 0x80: data = Array(serialNumber.utf8.prefix(252))
    case 0x83: data = identification
    case let page:
      guard let own = vitalProductData(page) else { throw .invalidField(inCommand: 2) }
      data = own
    }
    var page: [UInt8] = [deviceType, command[2]]
    page.append(big: UInt16(data.count))
    task.answer(page + data, allocated: allocated)
  }

  /// Section 6.4.2, and SPI-4's part of it.
  private var standardInquiryData: [UInt8] {
    var data: [UInt8] = [deviceType, isRemovable ? 0x80 : 0, 0x05, 0x02, 91, 0, 0, 0x32]  // SPC-3; 16 bits, synchronous, queueing
    data.append(text: Self.vendor, count: 8)
    data.append(text: product, count: 16)
    data.append(text: Self.revision, count: 4)
    data.append(contentsOf: [UInt8](repeating: 0, count: 20))
    // Byte 56: no double transitions, no quick arbitration, no information units: Ultra2.
    data.append(contentsOf: [0, 0])
    let versions: [UInt16] = [0x0060, 0x0B56, 0x0300] + versionDescriptors  // SAM-3, SPI-4, SPC-3
    for n in 0..<8 { data.append(big: n < versions.count ? versions[n] : 0) }
    data.append(contentsOf: [UInt8](repeating: 0, count: 96 - data.count))
    return data
  }

  /// Section 7.6.3: one identifier of the T10 vendor's form, unique by the serial number.
  private var identification: [UInt8] {
    var name: [UInt8] = []
    name.append(text: Self.vendor, count: 8)
    name.append(text: product, count: 16)
    name.append(contentsOf: serialNumber.utf8.prefix(200))
    return [0x02, 0x01, 0x00, UInt8(name.count)] + name
  }

  func requestSense(_ task: inout SCSITask) {
    guard task.command[1] & 1 == 0 else { return fail(&task, .invalidField(inCommand: 1)) }
    let n = Int(task.initiator)
    var sense = SCSISense.none
    if let kept = state.sense[n] {
      sense = kept
      state.sense[n] = nil
    } else if !state.attentions[n].isEmpty {
      sense = state.attentions[n].removeFirst()
    }
    task.answer(sense.fixedFormat, allocated: Int(task.command[4]))
  }

  func reportLUNs(_ task: inout SCSITask) throws(SCSISense) {
    let allocated = task.command.get(6, as: UInt32.self)
    guard allocated >= 16 else { throw .invalidField(inCommand: 6) }
    guard task.command[2] <= 2 else { throw .invalidField(inCommand: 2) }
    var data: [UInt8] = []
    // One unit, number 0; no well known ones.
    let count = task.command[2] == 1 ? 0 : 1
    data.append(big: UInt32(8 * count))
    data.append(contentsOf: [UInt8](repeating: 0, count: 4 + 8 * count))
    task.answer(data, allocated: Int(allocated))
  }

  // MARK: Echo buffer (sections 6.15.9 and 6.34.9)

  func readBuffer(_ task: inout SCSITask) throws(SCSISense) {
    let count = Int(task.command[6]) << 16 | Int(task.command[7]) << 8 | Int(task.command[8])
    switch task.command[1] & 0x1F {
    case 0x0A:
      guard !state.echoBuffer.isEmpty else { throw SCSISense(.illegalRequest, 0x2C00) }
      task.answer(state.echoBuffer, allocated: count)
    case 0x0B: task.answer([0, 0, 0, UInt8(Self.echoBufferSize)], allocated: count)
    default: throw .invalidField(inCommand: 1)
    }
  }

  func writeBuffer(_ task: inout SCSITask) throws(SCSISense) {
    let count = Int(task.command[6]) << 16 | Int(task.command[7]) << 8 | Int(task.command[8])
    guard task.command[1] & 0x1F == 0x0A else { throw .invalidField(inCommand: 1) }
    guard count <= Self.echoBufferSize else { throw .invalidField(inCommand: 6) }
    task.ask(count)
  }

  /// Parameters have come in.
  func parametersArrived(_ task: inout SCSITask) throws(SCSISense) {
    switch task.command[0] {
    case SCSIOperation.writeBuffer: state.echoBuffer = task.buffer
    case SCSIOperation.modeSelect6, SCSIOperation.modeSelect10: try applyModeParameters(task)
    default: break
    }
  }
}
