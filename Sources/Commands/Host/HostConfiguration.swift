import HostResources
import Platform

/// What the server has that `epicure serve` keeps domains on.
struct HostConfiguration {
  /// Physical processors.
  var processors = 2
  /// Bytes of the machine's memory.
  var memory: UInt64 = 24 << 30
  /// What the host's operating system has of it, and what the hypervisor has.
  var operatingSystemMemory = HostMemory.operatingSystem
  var hypervisorMemory = HostMemory.hypervisor
  /// Bridges with uplinks to the host's networks.
  var bridges: [BridgeSpecification] = []
  /// Physical functions that domains may have for themselves.
  var devices: [HostDevice] = []
  /// Threads of the host for the domains; nil: they run one after the other.
  var threads: HostThreads?
  /// Where reports about crashed domains are kept.
  var reports: String

  var kept: UInt64 { operatingSystemMemory + hypervisorMemory }
}
