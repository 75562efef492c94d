/// What the hypervisor offers to all domains of a host, and to the host OS.
public final class HostServices {
  public let events = EventChannels()
  public let grants: GrantTables
  public let store: XenStore

  /// `pool`: the memory of all the domains.
  public init(pool: FramePool) {
    grants = GrantTables(pool: pool)
    store = XenStore(events: events, grants: grants)
  }
}
