/// A guest's connection: its page, what has come and what is to go, its watches and transactions.
final class StoreConnection {
  struct Watch: Equatable {
    let watched: XenStore.Watched
    let token: String
    /// What the guest does not want to see of a path: its own directory.
    let prefix: String
  }

  let domain: UInt16
  let page: HostMapping
  /// Of domain 0.
  var port: UInt32 = 0
  var input: [UInt8] = []
  /// Whole messages; of the first, ``sent`` bytes are gone.
  var output: [[UInt8]] = []
  var sent = 0
  var watches: [Watch] = []
  var transactions: [UInt32: XenStore.Transaction] = [:]
  var nextTransaction: UInt32 = 1

  /// Messages that may wait for a guest that does not read.
  static let outputLimit = 4096

  init(domain: UInt16, page: HostMapping) { (self.domain, self.page) = (domain, page) }
}
