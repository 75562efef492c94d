import Glibc

/// Sockets. Addresses and options have the host's layout.
extension UserProcess {
  func socketCall(_ number: UInt64, _ a: CallArguments) throws(SystemError) -> CallResult? {
    switch number {
    case Call.socket: return .value(try HostKernel.call(HostCall.socket, a.long(0), a.long(1), a.long(2)))
    case Call.socketpair:
      return .value(try pass(PassedCall(HostCall.socketpair, .value, .value, .value, .output(8)), a))
    case Call.bind, Call.connect:
      let host = number == Call.bind ? HostCall.bind : HostCall.connect
      return .value(try pass(PassedCall(host, .value, .inputBuffer(length: 2), .value), a))
    case Call.listen: return .value(try HostKernel.call(HostCall.listen, a.long(0), a.long(1)))
    case Call.shutdown: return .value(try HostKernel.call(HostCall.shutdown, a.long(0), a.long(1)))
    case Call.accept, Call.accept4, Call.getsockname, Call.getpeername:
      return .value(try namedCall(number, a))
    case Call.setsockopt:
      return .value(try pass(PassedCall(HostCall.setsockopt, .value, .value, .value, .inputBuffer(length: 4), .value), a))
    case Call.getsockopt:
      let length: Int32 = try space.load(a[4])
      guard length >= 0, length <= 65536 else { throw .invalid }
      return .value(
        try pass(PassedCall(HostCall.getsockopt, .value, .value, .value, .both(Int(length)), .both(4)), a))
    case Call.send: return .value(try sendTo(a, name: 0, length: 0))
    case Call.sendto: return .value(try sendTo(a, name: a[4], length: a[5]))
    case Call.recv: return .value(try receiveFrom(a, name: 0, length: 0))
    case Call.recvfrom: return .value(try receiveFrom(a, name: a[4], length: a[5]))
    case Call.sendmsg: return .value(try message(a, reads: false))
    case Call.recvmsg: return .value(try message(a, reads: true))
    default: return nil
    }
  }

  /// Calls that return an address: (descriptor, address, length).
  private func namedCall(_ number: UInt64, _ a: CallArguments) throws(SystemError) -> Int {
    var size = 0
    if a[1] != 0 {
      let length: Int32 = try space.load(a[2])
      guard length >= 0 else { throw .invalid }
      size = Int(min(length, 4096))
    }
    let host: Int
    switch number {
    case Call.getsockname: host = HostCall.getsockname
    case Call.getpeername: host = HostCall.getpeername
    default: host = HostCall.accept4
    }
    var arguments = a
    if number == Call.accept { arguments.words[3] = 0 }
    if a[1] == 0 { arguments.words[2] = 0 }
    return try pass(PassedCall(host, .value, .both(size), .both(4), .value), arguments)
  }

  private func sendTo(_ a: CallArguments, name: UInt64, length: UInt64) throws(SystemError) -> Int {
    var list: [iovec] = []
    _ = try space.vectors(a[1], a[2], for: .read, into: &list)
    guard length <= 4096 else { throw .invalid }
    var address = name == 0 ? [] : try space.read(name, count: Int(length))
    return try transferMessage(a.int(0), &list, &address, flags: a.int(3), reads: false).count
  }

  private func receiveFrom(_ a: CallArguments, name: UInt64, length: UInt64) throws(SystemError) -> Int {
    var list: [iovec] = []
    _ = try space.vectors(a[1], a[2], for: .write, into: &list)
    var address: [UInt8] = []
    if name != 0 {
      let size: Int32 = try space.load(length)
      guard size >= 0 else { throw .invalid }
      address = [UInt8](repeating: 0, count: Int(min(size, 4096)))
    }
    let (count, used, _) = try transferMessage(a.int(0), &list, &address, flags: a.int(3), reads: true)
    noteRead([(a[1], a[2])], count)
    if name != 0 {
      try space.write(name, Array(address.prefix(used)))
      try space.store(length, Int32(used))
    }
    return count
  }

  private func transferMessage(
    _ descriptor: Int32, _ list: inout [iovec], _ address: inout [UInt8], flags: Int32, reads: Bool
  ) throws(SystemError) -> (count: Int, address: Int, flags: Int32) {
    var header = msghdr()
    var result = 0
    let vectors = list.count
    list.withUnsafeMutableBufferPointer { list in
      address.withUnsafeMutableBytes { address in
        header.msg_name = address.count == 0 ? nil : address.baseAddress
        header.msg_namelen = socklen_t(address.count)
        header.msg_iov = list.baseAddress
        header.msg_iovlen = vectors
        result = reads ? recvmsg(descriptor, &header, flags) : sendmsg(descriptor, &header, flags)
      }
    }
    return (try HostKernel.check(result), min(Int(header.msg_namelen), address.count), header.msg_flags)
  }

  /// sendmsg and recvmsg; control messages (passed descriptors) have the host's layout.
  private func message(_ a: CallArguments, reads: Bool) throws(SystemError) -> Int {
    let name: UInt64 = try space.load(a[1])
    let nameLength: UInt32 = try space.load(a[1] &+ 8)
    let vectorAddress: UInt64 = try space.load(a[1] &+ 16)
    let vectorCount: UInt64 = try space.load(a[1] &+ 24)
    let controlAddress: UInt64 = try space.load(a[1] &+ 32)
    let controlLength: UInt64 = try space.load(a[1] &+ 40)
    guard vectorCount <= 1024, nameLength <= 4096, controlLength <= 65536 else { throw .invalid }
    var list: [iovec] = []
    var buffers: [(address: UInt64, count: UInt64)] = []
    for index in 0..<vectorCount {
      let base: UInt64 = try space.load(vectorAddress &+ 16 * index)
      let length: UInt64 = try space.load(vectorAddress &+ 16 * index &+ 8)
      buffers.append((base, length))
      if try !space.vectors(base, length, for: reads ? .write : .read, into: &list) { break }
    }
    func lend(_ address: UInt64, _ count: Int) throws(SystemError) -> [UInt8] {
      address == 0 ? [] : reads ? [UInt8](repeating: 0, count: count) : try space.read(address, count: count)
    }
    var address = try lend(name, Int(nameLength))
    var control = try lend(controlAddress, Int(controlLength))
    var header = msghdr()
    var result = 0
    list.withUnsafeMutableBufferPointer { list in
      address.withUnsafeMutableBytes { address in
        control.withUnsafeMutableBytes { control in
          header.msg_name = address.count == 0 ? nil : address.baseAddress
          header.msg_namelen = socklen_t(address.count)
          header.msg_iov = list.baseAddress
          header.msg_iovlen = list.count
          header.msg_control = control.count == 0 ? nil : control.baseAddress
          header.msg_controllen = control.count
          result = reads ? recvmsg(a.int(0), &header, a.int(2)) : sendmsg(a.int(0), &header, a.int(2))
        }
      }
    }
    let count = try HostKernel.check(result)
    guard reads else { return count }
    noteRead(buffers, count)
    if name != 0 {
      try space.write(name, Array(address.prefix(Int(header.msg_namelen))))
      try space.store(a[1] &+ 8, UInt32(header.msg_namelen))
    }
    if controlAddress != 0 { try space.write(controlAddress, Array(control.prefix(header.msg_controllen))) }
    try space.store(a[1] &+ 40, UInt64(header.msg_controllen))
    try space.store(a[1] &+ 48, header.msg_flags)
    return count
  }
}
