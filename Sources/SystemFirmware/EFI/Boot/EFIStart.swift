import FirmwareMedia
import Platform
import Processor

/// Power-on with boot services: memory, consoles, devices; then the boot manager.
extension SystemFirmware {
  /// EFI promises an image 128 KiB of stack and 16 KiB of backing store (EFI 1.10, section 2.3.2).
  private static let stackPages: UInt64 = 256
  private static let backingStoreSize: UInt64 = 0x4_0000

  /// Gate of the reset vector when an EFI image is to be started.
  func startEFI(_ call: GuestCall) -> GateOutcome {
    let ram = host.memory.ranges.filter { $0.lowerBound != FirmwareLayout.base }
    boot = BootServicesState(memory: MemoryLedger(ram: ram))
    storages.removeAll()
    initializeUART(call.processor)
    guard let stack = boot?.memory.take(pages: Self.stackPages, below: .max, .bootServicesData), installFirmwareProtocols() else {
      host.perform(.imageReturned(EFIStatus.outOfResources.rawValue))
      return .stop
    }
    connectMedia()
    boot?.frames = [
      CallFrame(continuation: .bootManager, pending: nil, mark: nil, contexts: 0, level: TaskPriority.application)
    ]
    call.set(8, stack)
    call.set(9, stack + Self.stackPages * MemoryLedger.pageSize - 16)
    call.set(10, FirmwareLayout.base + image.efiStart)
    // The start takes the vectors' address in place of a global pointer.
    call.set(11, FirmwareLayout.vectors)
    for register in [14, 15, 3] as [UInt8] { call.set(register, 0) }
    return .proceed
  }

  private func installFirmwareProtocols() -> Bool {
    // The firmware is the parent of what it loads.
    var w = ByteWriter()
    w.put(UInt64(0x1000))
    w.put(UInt64(0))
    w.put(tables.systemTable)
    w.zeros(40)
    w.put(FirmwareLayout.base)
    w.put(UInt64(image.bytes.count))
    w.put(EFIMemoryType.runtimeServicesCode.rawValue)
    w.put(EFIMemoryType.runtimeServicesData.rawValue)
    w.put(UInt64(0))
    guard let loaded = place(w.bytes), let firmware = install(.loadedImage, loaded, on: nil) else { return false }
    boot?.firmwareImage = firmware
    boot?.images[firmware] = LoadedImage(
      base: FirmwareLayout.base, size: UInt64(image.bytes.count), pages: 0..<0, entry: 0, subsystem: .bootServiceDriver,
      interface: loaded, belongings: [], parent: 0)
    boot?.images[firmware]?.isStarted = true
    guard install(.softwareAssist, tables.softwareAssistInterface, on: nil) != nil, installConsole() else { return false }
    connectCollation()
    connectPathText()
    return true
  }

  private func installConsole() -> Bool {
    let waiting = EventDatabase.Event(type: 0, level: 0, function: 0, context: 0)
    guard let mode = place([UInt8](repeating: 0, count: 24)),
      let output = placeInterface(
        [
          .textReset, .outputString, .testString, .queryMode, .setMode, .setAttribute, .clearScreen, .setCursorPosition,
          .enableCursor,
        ], trailer: [mode]),
      let key = makeEvent(waiting), let keyEx = makeEvent(waiting),
      let input = placeInterface([.inputReset, .readKeyStroke], trailer: [key]),
      let path = place(RuntimeState.serialDevicePath), let handle = install(.devicePath, path, on: nil)
    else { return false }
    let functions = [ProtocolFunction.inputResetEx, .readKeyStrokeEx].map(descriptor)
    let rest = [ProtocolFunction.setInputState, .registerKeyNotify, .unregisterKeyNotify].map(descriptor)
    guard let inputEx = place((functions + [keyEx] + rest).littleEndianBytes),
      install(.simpleTextOutput, output, on: handle) != nil,
      install(.simpleTextInput, input, on: handle) != nil, install(.simpleTextInputEx, inputEx, on: handle) != nil
    else { return false }
    boot?.events.inputEvents = [key, keyEx]
    boot?.consoles.mode = mode
    publishMode()
    tables.beginBootServices(in: host.memory, console: handle, input: input, output: output)
    return true
  }
}
