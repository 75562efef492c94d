import Platform

/// Attributes of EFI variables.
enum VariableAttribute {
  static let nonVolatile: UInt32 = 1
  static let bootService: UInt32 = 2
  static let runtime: UInt32 = 4
  static let all = nonVolatile | bootService | runtime
}

/// GetVariable, GetNextVariableName and SetVariable (EFI 1.10, section 7.1). After ExitBootServices only variables with runtime access
/// exist for them, and only non-volatile ones can be changed.
extension SystemFirmware {
  /// Characters of a name, and bytes of all variables together, that the store holds.
  private static let maximumName = 512
  private static let capacity = 256 << 10

  /// A zero-terminated UCS-2 string; nil if it is too long.
  private func readName(_ pointer: UInt64, _ call: GuestCall) throws(GuestAccessFailure) -> [UInt16]? {
    var name: [UInt16] = []
    while name.count <= Self.maximumName {
      let unit: UInt16 = try call.load(pointer &+ UInt64(2 * name.count))
      if unit == 0 { return name }
      name.append(unit)
    }
    return nil
  }

  private func readGUID(_ pointer: UInt64, _ call: GuestCall) throws(GuestAccessFailure) -> GUID? {
    GUID(bytes: try call.read(pointer, count: 16))
  }

  private func index(_ name: [UInt16], _ vendor: GUID) -> Int? {
    state.runtime.variables.firstIndex { $0.name == name && $0.vendor == vendor }
  }

  /// in0 name, in1 vendor, in2 attributes (may be null), in3 size of the buffer, in4 buffer.
  func getVariable(_ call: GuestCall) throws(GuestAccessFailure) -> EFIStatus {
    guard call.argument(0) != 0, call.argument(1) != 0, call.argument(3) != 0 else { return .invalidParameter }
    let room: UInt64 = try call.load(call.argument(3))
    guard let name = try readName(call.argument(0), call), let vendor = try readGUID(call.argument(1), call),
      let found = index(name, vendor), isVisible(state.runtime.variables[found])
    else { return .notFound }
    let variable = state.runtime.variables[found]
    let size = UInt64(variable.data.count)
    guard room >= size else {
      try call.store(call.argument(3), size)
      return .bufferTooSmall
    }
    guard call.argument(4) != 0 else { return .invalidParameter }
    try call.check(call.argument(4), count: variable.data.count)
    if call.argument(2) != 0 { try call.store(call.argument(2), variable.attributes) }
    try call.store(call.argument(3), size)
    try call.write(call.argument(4), variable.data)
    return .success
  }

  /// in0 size of the name's buffer, in1 name, in2 vendor: replaces the last variable by the one that follows it.
  func getNextVariableName(_ call: GuestCall) throws(GuestAccessFailure) -> EFIStatus {
    guard call.argument(0) != 0, call.argument(1) != 0, call.argument(2) != 0 else { return .invalidParameter }
    let room: UInt64 = try call.load(call.argument(0))
    guard let name = try readName(call.argument(1), call), let vendor = try readGUID(call.argument(2), call) else {
      return .invalidParameter
    }
    var following = 0
    if !name.isEmpty {
      guard let current = index(name, vendor) else { return .notFound }
      following = current + 1
    }
    let rest = state.runtime.variables[following...]
    guard let next = rest.first(where: isVisible) else { return .notFound }
    var w = ByteWriter()
    next.name.forEach { w.put($0) }
    w.put(UInt16(0))
    guard room >= UInt64(w.count) else {
      try call.store(call.argument(0), UInt64(w.count))
      return .bufferTooSmall
    }
    try call.check(call.argument(1), count: w.count)
    try call.check(call.argument(2), count: 16)
    try call.store(call.argument(0), UInt64(w.count))
    try call.write(call.argument(1), w.bytes)
    try call.write(call.argument(2), next.vendor.bytes)
    return .success
  }

  /// in0 name, in1 vendor, in2 attributes, in3 size, in4 data. No data or no access attributes: the variable is deleted.
  func setVariable(_ call: GuestCall) throws(GuestAccessFailure) -> EFIStatus {
    guard call.argument(0) != 0, call.argument(1) != 0 else { return .invalidParameter }
    guard let name = try readName(call.argument(0), call), !name.isEmpty,
      let vendor = try readGUID(call.argument(1), call)
    else { return .invalidParameter }
    let attributes = UInt32(truncatingIfNeeded: call.argument(2))
    let size = call.argument(3)
    let existing = index(name, vendor)
    guard attributes & ~VariableAttribute.all == 0 else { return .invalidParameter }
    let before = state.runtime.variables
    if size == 0 || attributes & (VariableAttribute.bootService | VariableAttribute.runtime) == 0 {
      guard let existing, isVisible(before[existing]) else { return .notFound }
      guard isWritable(before[existing].attributes) else { return .writeProtected }
      state.runtime.variables.remove(at: existing)
      return keep(before[existing].attributes, orRestore: before)
    }
    // Runtime access includes boot service access.
    guard attributes & VariableAttribute.bootService != 0, boot != nil || attributes == VariableAttribute.all else {
      return .invalidParameter
    }
    guard size <= UInt64(Self.capacity), call.argument(4) != 0 else {
      return size > UInt64(Self.capacity) ? .outOfResources : .invalidParameter
    }
    let data = try call.read(call.argument(4), count: Int(size))
    if let existing {
      guard isWritable(before[existing].attributes) else { return .writeProtected }
      guard before[existing].attributes == attributes else { return .invalidParameter }
      guard used - before[existing].data.count + data.count <= Self.capacity else { return .outOfResources }
      state.runtime.variables[existing].data = data
    } else {
      guard used + 2 * name.count + data.count + 32 <= Self.capacity else { return .outOfResources }
      state.runtime.variables.append(.init(name: name, vendor: vendor, attributes: attributes, data: data))
    }
    return keep(attributes, orRestore: before)
  }

  private func isVisible(_ variable: RuntimeState.Variable) -> Bool {
    boot != nil || variable.attributes & VariableAttribute.runtime != 0
  }

  private func isWritable(_ attributes: UInt32) -> Bool { boot != nil || attributes == VariableAttribute.all }

  /// A non-volatile variable has changed only once it is stored.
  private func keep(_ attributes: UInt32, orRestore before: [RuntimeState.Variable]) -> EFIStatus {
    guard attributes & VariableAttribute.nonVolatile != 0, !storeVariables() else { return .success }
    state.runtime.variables = before
    return .deviceError
  }

  private var used: Int { state.runtime.variables.reduce(0) { $0 + 2 * $1.name.count + $1.data.count + 32 } }
}

extension RuntimeState {
  /// The global variables that every EFI machine has: its language, and its consoles as device paths.
  static var initialVariables: [Variable] {
    func variable(_ name: String, _ data: [UInt8], volatile: Bool = false) -> Variable {
      Variable(
        name: Array(name.utf16), vendor: .globalVariable,
        attributes: volatile ? VariableAttribute.all & ~VariableAttribute.nonVolatile : VariableAttribute.all, data: data)
    }
    let language = Array("eng".utf8)
    let console = serialDevicePath
    return [
      variable("LangCodes", language, volatile: true), variable("Lang", language), variable("Timeout", [5, 0]),
      variable("ConIn", console), variable("ConOut", console), variable("ErrOut", console),
    ]
  }

  /// ACPI(PNP0501,0)/UART(115200 8N1)/VenMsg(VT-UTF8) (EFI 1.10, chapter 8).
  static var serialDevicePath: [UInt8] {
    var w = ByteWriter()
    w.put(UInt8(2))  // ACPI device path
    w.put(UInt8(1))
    w.put(UInt16(12))
    w.put(UInt32(0x0501_41D0))  // PNP0501
    w.put(UInt32(0))
    w.put(UInt8(3))  // messaging: UART
    w.put(UInt8(14))
    w.put(UInt16(19))
    w.put(UInt32(0))
    w.put(UInt64(115_200))
    w.put(UInt8(8))
    w.put(UInt8(1))
    w.put(UInt8(1))
    w.put(UInt8(3))  // messaging: vendor-defined, VT-UTF8
    w.put(UInt8(10))
    w.put(UInt16(20))
    w.put(bytes: GUID(0xAD15_A0D6, 0x8BEC, 0x4ACF, 0xA073_D01D_E77E_2D88).bytes)
    w.put(UInt8(0x7F))  // end
    w.put(UInt8(0xFF))
    w.put(UInt16(4))
    return w.bytes
  }
}
