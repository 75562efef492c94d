/// A domain, paravirtualized or fully virtualized, as the services of the hypervisor see it: event channels, grant tables, XenStore.
public protocol ServicedDomain: AnyObject {
  /// Xen's domid. 0 is the host OS's, which is not a guest here.
  var domainNumber: UInt16 { get }
  var memory: DomainMemory { get }
  var sharedInfo: SharedInfo { get }
  var virtualProcessorCount: Int { get }
  /// `evtchn_upcall_pending` of a virtual processor has become 1, or a port that it polls was raised: it is to look, wherever it is.
  func upcall(_ processor: Int)
}
