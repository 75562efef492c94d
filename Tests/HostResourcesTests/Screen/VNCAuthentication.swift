/// "VNC authentication" (RFC 6143, section 7.2.2) as a client does it: the password's first eight characters encrypt what the server has made up.
enum VNCAuthentication {
  static func response(to challenge: [UInt8], password: String) -> [UInt8] {
    // Each byte of the key is mirrored: the first implementation's mistake, and now the protocol.
    let bytes = Array(password.utf8.prefix(8)) + [UInt8](repeating: 0, count: max(0, 8 - password.utf8.count))
    let cipher = DES(key: bytes.reduce(UInt64(0)) { $0 << 8 | UInt64(mirrored($1)) })
    return stride(from: 0, to: challenge.count, by: 8).flatMap { start in
      let block = challenge[start..<start + 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      return withUnsafeBytes(of: cipher.encrypt(block).bigEndian) { Array($0) }
    }
  }

  private static func mirrored(_ byte: UInt8) -> UInt8 { (0..<8).reduce(0) { $0 << 1 | byte >> UInt8($1) & 1 } }
}
