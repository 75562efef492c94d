import Processor

/// The functions of the protocols that the firmware itself provides, as its stubs count them.
enum ProtocolFunction: Int, CaseIterable {
  case textReset, outputString, testString, queryMode, setMode, setAttribute, clearScreen, setCursorPosition, enableCursor
  case inputReset, readKeyStroke, inputResetEx, readKeyStrokeEx, setInputState, registerKeyNotify, unregisterKeyNotify
  case blockReset, readBlocks, writeBlocks, flushBlocks, readDisk, writeDisk
  case openVolume, fileOpen, fileClose, fileDelete, fileRead, fileWrite, fileGetPosition, fileSetPosition, fileGetInfo, fileSetInfo
  case fileFlush
  case compareStrings, matchPattern, lowerString, upperString, stringFromFAT, stringToFAT
  case nodeToText, pathToText
}

extension SystemFirmware {
  /// The function descriptor.
  func descriptor(_ function: ProtocolFunction) -> UInt64 { tables.protocolFunctions + 16 * UInt64(function.rawValue) }

  func protocolFunction(_ number: UInt64, _ call: GuestCall) throws(GuestAccessFailure) -> GateOutcome {
    guard boot != nil, let function = ProtocolFunction(rawValue: Int(number - Gate.protocolFunction)) else {
      call.set(8, EFIStatus.unsupported.rawValue)
      return .proceed
    }
    advanceTimers(call.processor)
    return finish(try perform(function, call), gate: number, call)
  }

  private func perform(_ function: ProtocolFunction, _ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    switch function {
    case .textReset: resetText(call)
    case .outputString: try outputString(call)
    case .testString: .success
    case .queryMode: try queryMode(call)
    case .setMode: setMode(call)
    case .setAttribute: setAttribute(call)
    case .clearScreen: clearScreen(call)
    case .setCursorPosition: setCursorPosition(call)
    case .enableCursor: enableCursor(call)
    case .inputReset, .inputResetEx: resetInput(call)
    case .readKeyStroke: try readKeyStroke(call)
    case .readKeyStrokeEx: try readKeyStrokeEx(call)
    // There are no keys that toggle, and no notice of single keys on a serial line.
    case .setInputState, .registerKeyNotify, .unregisterKeyNotify: .status(.unsupported)
    case .blockReset: .success
    case .readBlocks: try readBlocks(call)
    case .writeBlocks: try writeBlocks(call)
    case .flushBlocks: flushBlocks(call)
    case .readDisk: try readDisk(call)
    case .writeDisk: try writeDisk(call)
    case .openVolume: try openVolume(call)
    case .fileOpen: try openFile(call)
    case .fileClose: closeFile(call)
    case .fileDelete: deleteFile(call)
    case .fileRead: try readFile(call)
    case .fileWrite: try writeFile(call)
    case .fileGetPosition: try getPosition(call)
    case .fileSetPosition: setPosition(call)
    case .fileGetInfo: try getInfo(call)
    case .fileSetInfo: try setInfo(call)
    case .fileFlush: flushFile(call)
    case .compareStrings: try compareStrings(call)
    case .matchPattern: try matchPattern(call)
    case .lowerString: try changeCase(call, upper: false)
    case .upperString: try changeCase(call, upper: true)
    case .stringFromFAT: try stringFromFAT(call)
    case .stringToFAT: try stringToFAT(call)
    case .nodeToText: try pathToText(call, isNode: true)
    case .pathToText: try pathToText(call, isNode: false)
    }
  }

  /// An interface: functions in their order.
  func placeInterface(_ functions: [ProtocolFunction], header: [UInt64] = [], trailer: [UInt64] = []) -> UInt64? {
    place((header + functions.map(descriptor) + trailer).littleEndianBytes)
  }
}
