/// What an administrator's tools write into XenStore for a domain before it runs (`tools/python/xen/xend/XendDomainInfo.py`).
public struct DomainNodes {
  public var number: UInt16
  public var name: String
  /// As text: 8-4-4-4-12 digits.
  public var uuid: String
  /// KiB that the domain should have: what its balloon driver follows.
  public var memoryTarget: UInt64
  public var processors: Int
  public var storeFrame: UInt64
  public var storePort: UInt32
  /// Nil: no console of XenStore's kind.
  public var console: (frame: UInt64, port: UInt32)?

  public init(
    number: UInt16, name: String, uuid: String, memoryTarget: UInt64, processors: Int, storeFrame: UInt64, storePort: UInt32,
    console: (frame: UInt64, port: UInt32)? = nil
  ) {
    (self.number, self.name, self.uuid, self.memoryTarget) = (number, name, uuid, memoryTarget)
    (self.processors, self.storeFrame, self.storePort, self.console) = (processors, storeFrame, storePort, console)
  }

  /// Bytes of output that the host keeps while nobody reads them.
  private static let consoleLimit = 1 << 20

  public var home: String { StorePath.home(of: number) }
  private var machinePath: String { "/vm/\(uuid)" }

  /// Writes them. The guest owns what it may write to, and reads the rest.
  public func write(to store: XenStore) throws(StoreError) {
    let home = home
    let mine = [StorePermission(.none, number)]
    let readable = [StorePermission(.none, DomainNumber.host), StorePermission(.read, number)]
    try store.transaction { batch in
      batch.write(machinePath + "/name", name)
      batch.write(machinePath + "/uuid", uuid)
      batch.makeDirectory(home)
      batch.setPermissions(home, readable)
      batch.write(home + "/domid", "\(number)")
      batch.write(home + "/name", name)
      batch.write(home + "/vm", machinePath)
      batch.write(home + "/memory/target", "\(memoryTarget)")
      batch.write(home + "/store/ring-ref", "\(storeFrame)")
      batch.write(home + "/store/port", "\(storePort)")
      if let console {
        batch.write(home + "/console/ring-ref", "\(console.frame)")
        batch.write(home + "/console/port", "\(console.port)")
        batch.write(home + "/console/limit", "\(Self.consoleLimit)")
      }
      for index in 0..<processors { batch.write(home + "/cpu/\(index)/availability", "online") }
      for folder in ["control", "data", "device", "error", "drivers", "attr", "messages"] {
        batch.makeDirectory(home + "/" + folder)
        batch.setPermissions(home + "/" + folder, mine)
      }
      batch.write(home + "/control/shutdown", "")
      batch.setPermissions(home + "/control/shutdown", mine)
    }
  }

  /// Removes them.
  public func remove(from store: XenStore) {
    for path in [home, machinePath] where store.exists(path) { try? store.remove(path) }
  }
}
