/// grant_table_op (hypercall 20): a guest's arguments, as they lie in its memory.
extension GrantTables {
  private enum Command: UInt64 {
    case map, unmap, setUp, dump, transfer, copy, query, unmapAndReplace

    var size: Int {
      switch self {
      case .map: 0x20
      case .unmap, .setUp, .transfer, .unmapAndReplace: 0x18
      case .dump: 4
      case .copy: 0x28
      case .query: 0x10
      }
    }
    /// Where the status goes.
    var statusOffset: Int {
      switch self {
      case .map: 0x12
      case .unmap, .unmapAndReplace: 0x14
      case .setUp: 8
      case .dump: 2
      case .transfer: 0x10
      case .copy: 0x24
      case .query: 0xC
      }
    }
  }

  /// Bytes of one element of a command's array; nil: there is no such command.
  public static func elementSize(_ command: UInt64) -> Int? { Command(rawValue: command)?.size }

  /// Does what one element asks for, and puts its status into it; all of it is to be copied back if the result is 0. `frameList` writes
  /// setup_table's list of frames through the guest's handle, and says whether it could.
  public func perform(
    _ command: UInt64, element: inout [UInt8], for domain: any ServicedDomain,
    frameList: (_ handle: UInt64, _ frames: [UInt64]) -> Bool
  ) -> Int64 {
    guard let command = Command(rawValue: command) else { return -XenError.notImplemented.rawValue }
    guard element.count == command.size else { return -XenError.badAddress.rawValue }
    var list: (handle: UInt64, frames: [UInt64])?
    var status = GrantStatus.okay
    do throws(GrantStatus) {
      list = try perform(command, &element, domain.domainNumber)
    } catch {
      status = error
    }
    element.setField(command.statusOffset, status.rawValue)
    if let list, !frameList(list.handle, list.frames) { return -XenError.badAddress.rawValue }
    return 0
  }

  private func perform(
    _ command: Command, _ element: inout [UInt8], _ caller: UInt16
  ) throws(GrantStatus) -> (handle: UInt64, frames: [UInt64])? {
    switch command {
    case .map:
      let result = try map(
        element.field(0xC), of: element.field(0x10), at: element.field(0), flags: GrantMapFlags(rawValue: element.field(8)),
        by: caller)
      element.setField(0x14, result.handle)
      element.setField(0x18, result.machineAddress)
    case .unmap: try unmap(element.field(0x10), at: element.field(0), by: caller)
    case .unmapAndReplace:
      try unmapAndReplace(element.field(0x10), at: element.field(0), with: element.field(8), by: caller)
    case .setUp:
      try checkOwn(element.field(0))
      let frames = try setUp(Int(element.field(4, as: UInt32.self)), in: caller)
      return (element.field(0x10), frames)
    // Xen writes it to its own console, which guests do not see.
    case .dump: try checkOwn(element.field(0))
    case .transfer:
      try transfer(element.field(0), to: element.field(8), reference: element.field(0xC), by: caller)
    case .copy:
      let flags = element.field(0x22, as: UInt16.self)
      let source = copyEnd(element, 0, isGranted: flags & 1 != 0)
      let destination = copyEnd(element, 0x10, isGranted: flags & 2 != 0)
      try copy(Copy(from: source, to: destination, length: element.field(0x20)), by: caller)
    case .query:
      try checkOwn(element.field(0))
      let size = try size(of: caller)
      element.setField(4, UInt32(size.frames))
      element.setField(8, UInt32(size.limit))
    }
    return nil
  }

  private func copyEnd(_ element: [UInt8], _ offset: Int, isGranted: Bool) -> CopyEnd {
    CopyEnd(
      isGranted ? .granted(element.field(offset)) : .frame(element.field(offset)), of: element.field(offset + 8),
      offset: element.field(offset + 10))
  }

  /// No guest is privileged here, so each has only its own table.
  private func checkOwn(_ number: UInt16) throws(GrantStatus) {
    guard number == DomainNumber.caller else { throw .permissionDenied }
  }
}
