import Glibc

/// Waiting for descriptors: poll, select, epoll.
extension UserProcess {
  func waitingCall(_ number: UInt64, _ a: CallArguments) throws(SystemError) -> CallResult? {
    switch number {
    case Call.poll:
      return .value(try pass(PassedCall(HostCall.poll, .both(try pollSize(a[1])), .value, .value), a))
    case Call.ppoll:
      let size = try pollSize(a[1])
      let mask = try temporaryMask(a[3], a[4])
      return .value(
        try withMask(mask) { () throws(SystemError) in
          try pass(PassedCall(HostCall.ppoll, .both(size), .value, .both(16), .value, .value), maskArguments(a, at: 3, mask))
        })
    case Call.select:
      let size = try setSize(a.int(0))
      return .value(try pass(PassedCall(HostCall.select, .value, .both(size), .both(size), .both(size), .both(16)), a))
    case Call.pselect6:
      let size = try setSize(a.int(0))
      var mask: UInt64?
      if a[5] != 0 { mask = try temporaryMask(try space.load(a[5]), try space.load(a[5] &+ 8)) }
      return .value(
        try withMask(mask) { () throws(SystemError) in
          try pass(
            PassedCall(HostCall.pselect6, .value, .both(size), .both(size), .both(size), .both(16), .value),
            pselectArguments(a, mask))
        })
    case Call.epoll_create: return .value(try HostKernel.call(HostCall.epoll_create1, 0))
    case Call.epoll_create1: return .value(try HostKernel.call(HostCall.epoll_create1, a.long(0)))
    case Call.epoll_ctl: return .value(try controlEvents(a))
    case Call.epoll_wait: return .value(try waitForEvents(a, mask: nil))
    case Call.epoll_pwait:
      let mask = try temporaryMask(a[4], a[5])
      return .value(try withMask(mask) { () throws(SystemError) in try waitForEvents(a, mask: mask) })
    default: return nil
    }
  }

  private func pollSize(_ count: UInt64) throws(SystemError) -> Int {
    guard count <= 65536 else { throw .invalid }
    return Int(count) * 8
  }

  /// Bytes of a descriptor set.
  private func setSize(_ count: Int32) throws(SystemError) -> Int {
    guard count >= 0 else { throw .invalid }
    return (Int(min(count, 65536)) + 63) / 64 * 8
  }

  // MARK: Signal masks in force during a wait

  private func temporaryMask(_ address: UInt64, _ size: UInt64) throws(SystemError) -> UInt64? {
    guard address != 0 else { return nil }
    guard size == 8 else { throw .invalid }
    return try space.load(address)
  }

  /// If the wait was interrupted, what interrupted it is delivered under the temporary mask; then the old one comes back.
  private func withMask(_ mask: UInt64?, _ body: () throws(SystemError) -> Int) throws(SystemError) -> Int {
    do throws(SystemError) { return try body() } catch {
      if let mask, error == .interrupted {
        signals.savedMask = signals.blocked
        signals.blocked = mask & ~Signal.unblockable
      }
      throw error
    }
  }

  /// The mask in the host's memory, for the time of one call.
  private func hostMask(_ mask: UInt64) -> UInt64 {
    let set = HostSignals.mask(mask)
    return withUnsafeBytes(of: set) { $0.loadUnaligned(as: UInt64.self) }
  }

  private func maskArguments(_ a: CallArguments, at index: Int, _ mask: UInt64?) -> CallArguments {
    var arguments = a
    guard let mask else { return arguments }
    maskBuffer[0] = hostMask(mask)
    arguments.words[index] = UInt64(UInt(bitPattern: maskBuffer))
    arguments.words[index + 1] = 8
    return arguments
  }

  /// pselect6 takes a pointer to a pointer and a size.
  private func pselectArguments(_ a: CallArguments, _ mask: UInt64?) -> CallArguments {
    var arguments = a
    guard let mask else {
      arguments.words[5] = 0
      return arguments
    }
    maskBuffer[0] = hostMask(mask)
    maskBuffer[1] = UInt64(UInt(bitPattern: maskBuffer))
    maskBuffer[2] = 8
    arguments.words[5] = UInt64(UInt(bitPattern: maskBuffer + 1))
    return arguments
  }

  // MARK: epoll. x86-64 packs `struct epoll_event`, ia64 does not.

  #if arch(x86_64)
    private static let hostEvent = (size: 12, data: 4)
  #else
    private static let hostEvent = (size: 16, data: 8)
  #endif

  private func controlEvents(_ a: CallArguments) throws(SystemError) -> Int {
    var event = [UInt8](repeating: 0, count: 16)
    if a[3] != 0 {
      let guest = try space.read(a[3], count: 16)
      event.replaceSubrange(0..<4, with: guest[0..<4])
      event.replaceSubrange(Self.hostEvent.data..<Self.hostEvent.data + 8, with: guest[8..<16])
    }
    var result = 0
    var failure: SystemError?
    event.withUnsafeMutableBytes { buffer in
      do throws(SystemError) {
        result = try HostKernel.call(
          HostCall.epoll_ctl, a.long(0), a.long(1), a.long(2), a[3] == 0 ? 0 : Int(bitPattern: buffer.baseAddress))
      } catch { failure = error }
    }
    if let failure { throw failure }
    return result
  }

  private func waitForEvents(_ a: CallArguments, mask: UInt64?) throws(SystemError) -> Int {
    guard a.int(2) > 0, a.int(2) <= 65536 else { throw .invalid }
    let size = Self.hostEvent.size
    var events = [UInt8](repeating: 0, count: Int(a.int(2)) * size)
    var count = 0
    var failure: SystemError?
    events.withUnsafeMutableBytes { buffer in
      do throws(SystemError) {
        let arguments = maskArguments(CallArguments(words: [0, 0, 0, 0, 0, 0]), at: 4, mask)
        count = try HostKernel.call(
          HostCall.epoll_pwait, a.long(0), Int(bitPattern: buffer.baseAddress), a.long(2), a.long(3), arguments.long(4), 8)
      } catch { failure = error }
    }
    if let failure { throw failure }
    for index in 0..<count {
      let base = index * size
      try space.write(
        a[1] &+ UInt64(16 * index),
        Array(events[base..<base + 4]) + [0, 0, 0, 0] + events[base + Self.hostEvent.data..<base + Self.hostEvent.data + 8])
    }
    return count
  }
}
