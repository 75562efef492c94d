/// Told of what leaves a domain's guests, and when they go on. It looks, and changes nothing.
public protocol ExitObserver: AnyObject {
  /// An exit has come and nothing has been done about it yet; the guest is where it was left. True: the domain's run ends, and goes on with this
  /// exit. Of misses it is not known yet what they will turn out to be: they are not asked about. Only asked if ``holdsExits``.
  func holds(_ processor: VirtualProcessor, _ kind: ExitKind, detail: UInt64) -> Bool
  var holdsExits: Bool { get }
  /// An exit is being handled: each is counted, and told, once.
  func exited(_ processor: VirtualProcessor, _ exit: ExitLog.Entry)
  /// All that the guest was left for is done.
  func resumed(_ processor: VirtualProcessor)
}
