/// One block device of a domain, as `xm block-list` shows it.
public struct BlockDeviceSummary: Codable, Equatable, Sendable {
  /// Xen's number of the device.
  public var device: Int
  public var backend: Int
  /// The driver's; 0 for block devices.
  public var handle: Int
  /// Of xenbus: 1 initialising, 2 waiting, 3 initialised, 4 connected, 5 closing, 6 closed.
  public var state: Int
  /// -1: the front end has none yet.
  public var eventChannel: Int
  public var ring: Int
  public var path: String

  public init(device: Int, backend: Int, handle: Int, state: Int, eventChannel: Int, ring: Int, path: String) {
    (self.device, self.backend, self.handle, self.state) = (device, backend, handle, state)
    (self.eventChannel, self.ring, self.path) = (eventChannel, ring, path)
  }
}

/// One network interface of a domain, as `xm network-list` shows it.
public struct InterfaceSummary: Codable, Equatable, Sendable {
  public var index: Int
  public var backend: Int
  public var address: String
  public var handle: Int
  public var state: Int
  public var eventChannel: Int
  public var transmitRing: Int
  public var receiveRing: Int
  public var path: String

  public init(
    index: Int, backend: Int, address: String, handle: Int, state: Int, eventChannel: Int, transmitRing: Int, receiveRing: Int,
    path: String
  ) {
    (self.index, self.backend, self.address, self.handle, self.state) = (index, backend, address, handle, state)
    (self.eventChannel, self.transmitRing, self.receiveRing, self.path) = (eventChannel, transmitRing, receiveRing, path)
  }
}

extension XMTables {
  /// `%-3d    %-3d  %-3d   %-3d    %-3d    %-5d %-30s  `
  public static func blocks(_ devices: [BlockDeviceSummary]) -> String {
    table("Vdev  BE handle state evt-ch ring-ref BE-path", devices) { d in
      number(d.device, 3) + "    " + number(d.backend, 3) + "  " + number(d.handle, 3) + "   " + number(d.state, 3) + "    "
        + number(d.eventChannel, 3) + "    " + number(d.ring, 5) + " " + Columns.left(d.path, 30) + "  "
    }
  }

  /// `%-3d %-3d%-17s    %-3d   %-3d    %-3d   %-5d/%-5d   %-30s  `
  public static func interfaces(_ devices: [InterfaceSummary]) -> String {
    table("Idx BE     MAC Addr.     handle state evt-ch tx-/rx-ring-ref BE-path", devices) { d in
      number(d.index, 3) + " " + number(d.backend, 3) + Columns.left(d.address, 17) + "    " + number(d.handle, 3) + "   "
        + number(d.state, 3) + "    " + number(d.eventChannel, 3) + "   " + number(d.transmitRing, 5) + "/"
        + number(d.receiveRing, 5)
        + "   " + Columns.left(d.path, 30) + "  "
    }
  }

  private static func number(_ value: Int, _ width: Int) -> String { Columns.left(String(value), width) }
  /// xm prints the header only if there is something below it.
  private static func table<Row>(_ header: String, _ rows: [Row], _ line: (Row) -> String) -> String {
    rows.isEmpty ? "" : ([header] + rows.map(line)).map { $0 + "\n" }.joined()
  }
}
