import Platform

/// The assembled stubs of `Firmware/`, and where in them the entry points are. All offsets are from the image's first byte, which
/// lies at ``MemoryMap/firmware``.
struct FirmwareImage: Sendable {
  let bytes: [UInt8]
  /// Size of the PAL code, and with it the offset of the SAL and EFI code.
  let palSize: UInt64
  let palEntry: UInt64
  let palTranslate: UInt64
  let reset: UInt64
  let waitForWakeup: UInt64
  let salEntry: UInt64
  /// The bundle behind SAL_PROC: where OS_INIT returns to.
  var initializationReturn: UInt64 { salEntry + 16 }
  let translate: UInt64
  let softwareAssist: UInt64
  let runtimeServices: UInt64
  let bootServices: UInt64
  /// The boot manager's start.
  let efiStart: UInt64
  /// Where a service's handler goes on that calls the guest's code.
  let callOut: UInt64
  let unwind: UInt64
  let nap: UInt64
  let notified: UInt64
  let resume: UInt64
  let protocolFunctions: UInt64
  /// Two bundles for each interruption vector, in their order.
  let vectors: UInt64

  enum Failure: Error, Equatable, CustomStringConvertible {
    case malformed
    var description: String {
      switch self {
      case .malformed: "the firmware image of this installation is damaged"
      }
    }
  }

  static let magic = Array("EPICFIRM".utf8)

  init(bytes: [UInt8]) throws(Failure) {
    guard bytes.count >= 160, Array(bytes[0..<8]) == Self.magic else { throw .malformed }
    let words = (1..<20).map { index -> UInt64 in
      bytes[index * 8..<index * 8 + 8].reversed().reduce(UInt64(0)) { (word: UInt64, byte: UInt8) -> UInt64 in
        word << 8 | UInt64(byte)
      }
    }
    guard words.allSatisfy({ $0 <= UInt64(bytes.count) }), words[10] == UInt64(bytes.count) else { throw .malformed }
    self.bytes = bytes
    palSize = words[0]
    palEntry = words[1]
    palTranslate = words[2]
    reset = words[3]
    waitForWakeup = words[4]
    salEntry = words[5]
    translate = words[6]
    softwareAssist = words[7]
    runtimeServices = words[8]
    bootServices = words[9]
    efiStart = words[11]
    callOut = words[12]
    unwind = words[13]
    nap = words[14]
    notified = words[15]
    resume = words[16]
    protocolFunctions = words[17]
    vectors = words[18]
  }

  /// The image that comes with this package.
  static func bundled() throws(Failure) -> FirmwareImage { try FirmwareImage(bytes: PackageResources.firmware_bin) }

  /// The bundles of each interruption vector, and where in the vector table they belong (Volume 2, table 5-7).
  var vectorCode: [(offset: UInt64, bundles: [UInt8])] {
    let offsets = (0..<20).map { UInt64($0) * 0x400 } + (0..<48).map { 0x5000 + UInt64($0) * 0x100 }
    let start = Int(vectors)
    guard start + 32 * offsets.count <= bytes.count else { return [] }
    return offsets.enumerated().map { ($0.element, Array(bytes[start + 32 * $0.offset..<start + 32 * $0.offset + 32])) }
  }

  /// Offset of the bundle with gate `number` among those whose handlers take pointers; nil for the others.
  func offset(ofGate number: UInt64) -> UInt64? {
    switch number {
    case Gate.pal: palEntry
    case Gate.sal: salEntry
    case Gate.softwareAssist: softwareAssist
    case Gate.runtimeService..<Gate.runtimeService + UInt64(Gate.runtimeServiceCount):
      runtimeServices + 16 * (number - Gate.runtimeService)
    case Gate.bootService..<Gate.bootService + UInt64(Gate.bootServiceCount):
      bootServices + 16 * (number - Gate.bootService)
    case Gate.protocolFunction..<Gate.protocolFunction + UInt64(Gate.protocolFunctionCount):
      protocolFunctions + 16 * (number - Gate.protocolFunction)
    default: nil
    }
  }
}
