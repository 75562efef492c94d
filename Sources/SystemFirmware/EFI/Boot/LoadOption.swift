/// EFI_LOAD_OPTION: what a Boot#### variable holds (EFI 1.10, section 17.1.3).
struct LoadOption: Equatable {
  var attributes: UInt32
  var description: String
  var path: DevicePath
  var optionalData: [UInt8]

  static let active: UInt32 = 1

  init(attributes: UInt32 = active, description: String, path: DevicePath, optionalData: [UInt8] = []) {
    (self.attributes, self.description, self.path, self.optionalData) = (attributes, description, path, optionalData)
  }

  init?(_ bytes: [UInt8]) {
    guard bytes.count >= 8 else { return nil }
    attributes = bytes[0..<4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    let pathLength = Int(bytes[4]) | Int(bytes[5]) << 8
    var units: [UInt16] = []
    var position = 6
    while position + 2 <= bytes.count {
      let unit = UInt16(bytes[position]) | UInt16(bytes[position + 1]) << 8
      position += 2
      if unit == 0 { break }
      units.append(unit)
    }
    description = String(decoding: units, as: UTF16.self)
    guard position + pathLength <= bytes.count, let path = DevicePath(parsing: bytes[position..<position + pathLength]) else {
      return nil
    }
    self.path = path
    optionalData = Array(bytes[(position + pathLength)...])
  }
}
