import Processor

/// What runs a machine's processors where they are virtual ones, and stands between them and the machine's interrupts. Indices are those
/// of ``Machine/processors``.
public protocol VirtualizationMonitor: AnyObject {
  /// As ``LogicalProcessor/run(until:)``; what needs the hypervisor is dealt with inside.
  func run(_ index: Int, until cycle: UInt64) -> ExitReason
  /// As ``LogicalProcessor/turn(_:until:)``.
  func turn(_ index: Int, _ extent: Extent, until cycle: UInt64) -> ExitReason?
  /// CR.LID as the guest has set it.
  func localIdentifier(of index: Int) -> UInt64
  func post(_ vector: UInt8, to index: Int)
  func postInitialization(to index: Int)
}
