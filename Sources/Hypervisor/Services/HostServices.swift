/// What the hypervisor offers to all domains of a host, and to the host OS.
public final class HostServices {
  public let events = EventChannels()
  public let grants: GrantTables

  /// `pool`: the memory of all the domains.
  public init(pool: FramePool) { grants = GrantTables(pool: pool) }
}
