extension BlockStorage {
  /// Fills a part of an array.
  public func read(at offset: UInt64, into bytes: inout [UInt8], _ range: Range<Int>) throws(StorageFailure) {
    let failure: StorageFailure? = bytes.withUnsafeMutableBytes { all in
      do throws(StorageFailure) {
        try read(at: offset, into: UnsafeMutableRawBufferPointer(rebasing: all[range]))
        return nil
      } catch {
        return error
      }
    }
    if let failure { throw failure }
  }

  /// Stores a part of an array.
  public func write(at offset: UInt64, from bytes: [UInt8], _ range: Range<Int>) throws(StorageFailure) {
    let failure: StorageFailure? = bytes.withUnsafeBytes { all in
      do throws(StorageFailure) {
        try write(at: offset, from: UnsafeRawBufferPointer(rebasing: all[range]))
        return nil
      } catch {
        return error
      }
    }
    if let failure { throw failure }
  }
}
