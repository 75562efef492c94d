#if canImport(Glibc)
  import Glibc
#endif

/// An Ethernet address that no other process on a shared bridge may have: a file with a lock, which goes with the process.
final class AddressReservation {
  private let file: Int32

  /// Nil: another process has the address. `folder`: the bridge's members'.
  init?(_ address: MACAddress, in folder: String) throws(NetworkError) {
    let name = address.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    file = open("\(folder)/address-\(name)", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw NetworkError("cannot reserve the address \(address)", errno: errno) }
    guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
      close(file)
      return nil
    }
  }

  // The file stays: another process that has just opened it would hold the lock of one that nobody finds any more.
  deinit { close(file) }
}
