import Processor

/// Attributes of OpenProtocol.
enum OpenAttribute {
  static let byHandleProtocol: UInt32 = 1
  static let getProtocol: UInt32 = 2
  static let testProtocol: UInt32 = 4
  static let byChildController: UInt32 = 8
  static let byDriver: UInt32 = 16
  static let exclusive: UInt32 = 32
}

/// HandleProtocol and the OpenProtocol family (EFI 1.10, section 5.3).
extension SystemFirmware {
  /// in0 handle, in1 protocol, in2 interface.
  func handleProtocol(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard call.argument(1) != 0, call.argument(2) != 0, boot?.handles[call.argument(0)] != nil,
      let guid = GUID(bytes: try call.read(call.argument(1), count: 16))
    else { return .status(.invalidParameter) }
    try call.check(call.argument(2), count: 8)
    guard let interface = boot?.handles.interface(call.argument(0), guid) else {
      try call.store(call.argument(2), UInt64(0))
      return .status(.unsupported)
    }
    try call.store(call.argument(2), interface.address)
    return .success
  }

  /// in0 handle, in1 protocol, in2 interface, in3 agent, in4 controller, in5 attributes.
  func openProtocol(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    let (handle, agent, controller) = (call.argument(0), call.argument(3), call.argument(4))
    let attributes = UInt32(truncatingIfNeeded: call.argument(5))
    let tests = attributes == OpenAttribute.testProtocol
    guard call.argument(1) != 0, tests || call.argument(2) != 0, let known = boot?.handles[handle],
      let guid = GUID(bytes: try call.read(call.argument(1), count: 16))
    else { return .status(.invalidParameter) }
    let isHandle = { (id: UInt64) in self.boot?.handles[id] != nil }
    switch attributes {
    case OpenAttribute.byHandleProtocol, OpenAttribute.getProtocol, OpenAttribute.testProtocol: break
    case OpenAttribute.byChildController:
      guard isHandle(agent), isHandle(controller), handle != controller else { return .status(.invalidParameter) }
    case OpenAttribute.byDriver, OpenAttribute.byDriver | OpenAttribute.exclusive:
      guard isHandle(agent), isHandle(controller) else { return .status(.invalidParameter) }
    case OpenAttribute.exclusive: guard isHandle(agent) else { return .status(.invalidParameter) }
    default: return .status(.invalidParameter)
    }
    if !tests { try call.check(call.argument(2), count: 8) }
    guard let interface = known.interfaces.first(where: { $0.guid == guid }) else {
      if !tests { try call.store(call.argument(2), UInt64(0)) }
      return .status(.unsupported)
    }
    let drivers = OpenAttribute.byDriver | OpenAttribute.exclusive
    if attributes & drivers != 0 {
      if let owner = interface.opens.first(where: { $0.attributes & OpenAttribute.byDriver != 0 }) {
        if owner.agent == agent, owner.controller == controller, owner.attributes == attributes { return .status(.alreadyStarted) }
        // Whoever has it exclusively does not share; a driver's stack would have to be disconnected first.
        return .status(.accessDenied)
      }
      if interface.opens.contains(where: { $0.attributes & OpenAttribute.exclusive != 0 }) { return .status(.accessDenied) }
    }
    if !tests {
      boot?.handles.modify(handle, guid) { interface in
        let match = interface.opens.firstIndex {
          $0.agent == agent && $0.controller == controller && $0.attributes == attributes
        }
        if let match {
          interface.opens[match].count &+= 1
        } else if interface.opens.count < HandleDatabase.mostOpens {
          interface.opens.append(.init(agent: agent, controller: controller, attributes: attributes))
        }
      }
      try call.store(call.argument(2), interface.address)
    }
    return .success
  }

  /// in0 handle, in1 protocol, in2 agent, in3 controller.
  func closeProtocol(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard call.argument(1) != 0, boot?.handles[call.argument(0)] != nil, boot?.handles[call.argument(2)] != nil,
      call.argument(3) == 0 || boot?.handles[call.argument(3)] != nil,
      let guid = GUID(bytes: try call.read(call.argument(1), count: 16))
    else { return .status(.invalidParameter) }
    var found = false
    boot?.handles.modify(call.argument(0), guid) { interface in
      let before = interface.opens.count
      interface.opens.removeAll { $0.agent == call.argument(2) && $0.controller == call.argument(3) }
      found = interface.opens.count < before
    }
    return .status(found ? .success : .notFound)
  }

  /// in0 handle, in1 protocol, in2 entries, in3 count.
  func openProtocolInformation(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard call.argument(1) != 0, call.argument(2) != 0, call.argument(3) != 0,
      let guid = GUID(bytes: try call.read(call.argument(1), count: 16))
    else { return .status(.invalidParameter) }
    guard let interface = boot?.handles.interface(call.argument(0), guid) else { return .status(.notFound) }
    try call.check(call.argument(2), count: 8)
    try call.check(call.argument(3), count: 8)
    var w = ByteWriter()
    for open in interface.opens {
      w.put(open.agent)
      w.put(open.controller)
      w.put(open.attributes)
      w.put(open.count)
    }
    guard let buffer = place(w.bytes) else { return .status(.outOfResources) }
    try call.store(call.argument(2), buffer)
    try call.store(call.argument(3), UInt64(interface.opens.count))
    return .success
  }
}
