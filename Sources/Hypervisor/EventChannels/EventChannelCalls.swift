/// event_channel_op (hypercall 32): a guest's arguments, as they lie in its memory.
extension EventChannels {
  private enum Command: UInt64 {
    case bindInterdomain, bindVirtual, bindPhysical, close, send, status, allocateUnbound, bindInterprocessor, bindProcessor,
      unmask, reset

    var size: Int {
      switch self {
      case .bindInterdomain, .bindVirtual, .bindPhysical: 12
      case .close, .send, .unmask: 4
      case .status: 0x18
      case .allocateUnbound, .bindInterprocessor, .bindProcessor: 8
      case .reset: 2
      }
    }
  }

  /// Bytes of a command's structure; nil: there is no such command.
  public static func argumentSize(_ command: UInt64) -> Int? { Command(rawValue: command)?.size }

  /// Does what a guest asks for. `arguments`: the command's structure, in and out; to be copied back to the guest if the result is 0.
  public func perform(_ command: UInt64, arguments: inout [UInt8], for domain: any ServicedDomain) -> Int64 {
    guard let command = Command(rawValue: command) else { return -XenError.notImplemented.rawValue }
    guard arguments.count == command.size else { return -XenError.badAddress.rawValue }
    do throws(XenError) {
      try perform(command, &arguments, domain.domainNumber)
      return 0
    } catch {
      return -error.rawValue
    }
  }

  private func perform(_ command: Command, _ arguments: inout [UInt8], _ caller: UInt16) throws(XenError) {
    switch command {
    case .bindInterdomain:
      let port = try bindInterdomain(in: caller, to: peer(arguments.field(0), caller), port: arguments.field(4))
      arguments.setField(8, port)
    case .bindVirtual:
      arguments.setField(8, try bindVirtualInterrupt(in: caller, arguments.field(0), processor: arguments.field(4)))
    case .bindPhysical: arguments.setField(8, try bindLine(in: caller, arguments.field(0)))
    case .close: try close(arguments.field(0), in: caller)
    case .send: try send(arguments.field(0), from: caller)
    case .status:
      try checkOwn(arguments.field(0))
      writeStatus(try status(of: arguments.field(4), in: caller), &arguments)
    case .allocateUnbound:
      try checkOwn(arguments.field(0))
      arguments.setField(4, try allocateUnbound(in: caller, for: peer(arguments.field(2), caller)))
    case .bindInterprocessor: arguments.setField(4, try bindInterprocessor(in: caller, processor: arguments.field(0)))
    case .bindProcessor: try bind(arguments.field(0), in: caller, to: arguments.field(4))
    case .unmask: try unmask(arguments.field(0), in: caller)
    case .reset:
      try checkOwn(arguments.field(0))
      try reset(caller)
    }
  }

  private func peer(_ number: UInt16, _ caller: UInt16) -> UInt16 { number == DomainNumber.caller ? caller : number }

  /// Only a privileged domain may name another one, and no guest is privileged here. As in Xen, its own number is not DOMID_SELF either.
  private func checkOwn(_ number: UInt16) throws(XenError) {
    guard number == DomainNumber.caller else { throw .notPermitted }
  }

  private func writeStatus(_ channel: EventChannel, _ arguments: inout [UInt8]) {
    arguments.setField(8, channel.connection.status)
    arguments.setField(12, UInt32(channel.processor))
    switch channel.connection {
    case .closed, .interprocessor: break
    case .unbound(let remote): arguments.setField(16, remote)
    case .interdomain(let domain, let port):
      arguments.setField(16, domain)
      arguments.setField(20, port)
    case .physical(let number), .virtual(let number): arguments.setField(16, number)
    }
  }
}
