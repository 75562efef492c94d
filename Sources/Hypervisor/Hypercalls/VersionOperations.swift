import Platform

/// xen_version (hypercall 17), `xen/include/public/version.h`; callback_op (30); hvm_op (34).
extension Hypercalls {
  /// The version that guests are told: that of RHEL 5's hypervisor.
  static let version: (major: UInt64, minor: UInt64, extra: String) = (3, 1, ".0-epicure")

  func version(_ command: UInt64, _ handle: GuestHandle) throws(XenError) -> UInt64 {
    func give(_ text: String, _ size: Int) throws(XenError) -> UInt64 {
      let characters = Array(text.utf8.prefix(size - 1))
      try write(handle, characters + [UInt8](repeating: 0, count: size - characters.count))
      return 0
    }
    switch command {
    case 0:
      // Guests with paravirtualized drivers ask for this to be told of events that came while they were masked.
      domain.upcallAgain()
      return Self.version.major << 16 | Self.version.minor
    case 1: return try give(Self.version.extra, 16)
    case 2:
      var bytes: [UInt8] = []
      for (text, size) in [("swift", 64), ("epicure", 16), ("epicure", 32), ("", 32)] {
        bytes += Array(text.utf8) + [UInt8](repeating: 0, count: size - text.utf8.count)
      }
      try write(handle, bytes)
      return 0
    case 3: return try give("xen-3.0-ia64 hvm-3.0-ia64 ", 1024)
    case 4: return try give("unavailable", 64)
    case 5:
      try write(handle, [0, 0, 0, 0, 0, 0, 0, 0xF0])
      return 0
    case 6:
      var bytes = try read(handle, count: 8)
      let submap: UInt32 = bytes.field(0)
      guard submap == 0 else { throw .invalid }
      // Writable page tables, and a physical map that the hypervisor translates.
      bytes.setField(4, 0b101 as UInt32)
      try write(handle, bytes)
      return 0
    case 7:
      guard handle.isNull else { throw .invalid }
      return FramePool.frameSize
    case 8:
      try write(handle, domain.uuid)
      return 0
    default: throw .notImplemented
    }
  }

  func callback(_ command: UInt64, _ handle: GuestHandle, _ index: Int) throws(XenError) -> UInt64 {
    switch command {
    case 0:
      let bytes = try read(handle, count: 16)
      let address: UInt64 = bytes.field(8)
      // The hypervisor's part of region 7.
      guard !(0xF000_0000_0000_0000..<0xF800_0000_0000_0000).contains(address) else { throw .invalid }
      switch bytes.field(0, as: UInt16.self) {
      case 0: (domain.virtualProcessors[index] as? ParavirtualProcessor)?.eventCallback = address
      case 1: break
      default: throw .notImplemented
      }
      return 0
    case 1: throw .invalid
    default: throw .notImplemented
    }
  }

  // MARK: hvm_op

  enum Parameter {
    static let callbackLine = 0
    static let storeFrame = 1
    static let storePort = 2
  }
  static let parameterCount = 30

  func hvmOperation(_ command: UInt64, _ handle: GuestHandle) throws(XenError) -> UInt64 {
    switch command {
    case 0, 1:
      var bytes = try read(handle, count: 16)
      try checkSelf(bytes.field(0))
      let index: UInt32 = bytes.field(4)
      guard index < UInt32(Self.parameterCount) else { throw .invalid }
      guard domain is HVMDomain else { throw .invalid }
      if command == 0 {
        // The rest is the host's to set.
        guard Int(index) == Parameter.callbackLine else { throw .notPermitted }
        parameters[Int(index)] = bytes.field(8)
        domain.upcallAgain()
      } else {
        bytes.setField(8, parameters[Int(index)])
        try write(handle, bytes)
      }
      return 0
    // set_pci_intx_level, set_isa_irq_level, set_pci_link_route and modified_memory are the device model's.
    case 2, 3, 4, 7: throw .notPermitted
    default: throw .notImplemented
    }
  }
}
