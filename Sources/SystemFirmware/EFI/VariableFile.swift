import CZlib

/// Why a file is not one with variables.
public enum VariableFileError: Error, Equatable, CustomStringConvertible {
  case notOne
  case version(UInt32)
  case damaged

  public var description: String {
    switch self {
    case .notOne: "not a file of EFI variables"
    case .version(let version): "EFI variables in format \(version), which this version does not know"
    case .damaged: "the EFI variables are damaged"
    }
  }
}

/// The non-volatile variables as a file has them: magic, version, length, then each variable, then a CRC-32 of all before it.
enum VariableFile {
  static let magic = Array("EPICNVRM".utf8)
  static let version: UInt32 = 1
  /// Larger than what all variables can be.
  static let largest = 1 << 20

  static func encode(_ variables: [RuntimeState.Variable], monotonicCount: UInt32) -> [UInt8] {
    var w = ByteWriter()
    w.put(bytes: magic)
    w.put(version)
    w.put(monotonicCount)
    w.put(UInt32(variables.count))
    for variable in variables {
      w.put(bytes: variable.vendor.bytes)
      w.put(variable.attributes)
      w.put(UInt32(variable.name.count))
      w.put(UInt32(variable.data.count))
      variable.name.forEach { w.put($0) }
      w.put(bytes: variable.data)
    }
    w.put(crc(w.bytes))
    return w.bytes
  }

  private static func crc(_ bytes: [UInt8]) -> UInt32 {
    UInt32(truncatingIfNeeded: bytes.withUnsafeBufferPointer { crc32_z(0, $0.baseAddress, $0.count) })
  }

  static func decode(
    _ bytes: [UInt8]
  ) throws(VariableFileError) -> (variables: [RuntimeState.Variable], monotonicCount: UInt32) {
    func integer(_ offset: Int) -> UInt32 { bytes[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) } }
    guard bytes.count >= 12, Array(bytes[0..<8]) == magic else { throw .notOne }
    guard integer(8) == version else { throw .version(integer(8)) }
    let end = bytes.count - 4
    guard bytes.count >= 24, bytes.count <= largest, integer(end) == crc(Array(bytes[0..<end])) else { throw .damaged }
    var list: [RuntimeState.Variable] = []
    var position = 20
    for _ in 0..<integer(16) {
      guard end - position >= 28, let vendor = GUID(bytes: Array(bytes[position..<position + 16])) else { throw .damaged }
      let attributes = integer(position + 16)
      let (nameCount, dataCount) = (Int(integer(position + 20)), Int(integer(position + 24)))
      position += 28
      guard nameCount > 0, nameCount <= 512, dataCount <= end - position, 2 * nameCount <= end - position - dataCount,
        attributes & VariableAttribute.nonVolatile != 0
      else { throw .damaged }
      let name = (0..<nameCount).map { UInt16(bytes[position + 2 * $0]) | UInt16(bytes[position + 2 * $0 + 1]) << 8 }
      position += 2 * nameCount
      list.append(.init(name: name, vendor: vendor, attributes: attributes, data: Array(bytes[position..<position + dataCount])))
      position += dataCount
    }
    guard position == end else { throw .damaged }
    return (list, integer(12))
  }
}

extension SystemFirmware {
  /// What a file of non-volatile variables holds.
  public var nonVolatileContents: [UInt8] {
    VariableFile.encode(
      state.runtime.variables.filter { $0.attributes & VariableAttribute.nonVolatile != 0 },
      monotonicCount: state.runtime.highMonotonicCount)
  }

  /// Takes the variables of a file over, in place of those that a new machine has. Before power-on.
  public func loadNonVolatile(_ contents: [UInt8]) throws(VariableFileError) {
    let (variables, count) = try VariableFile.decode(contents)
    state.runtime.variables =
      RuntimeState.initialVariables.filter { $0.attributes & VariableAttribute.nonVolatile == 0 } + variables
    state.runtime.highMonotonicCount = count
  }

  /// Tells whoever keeps the non-volatile variables that they have changed.
  func storeVariables() -> Bool { storeNonVolatile?(nonVolatileContents) ?? true }
}
