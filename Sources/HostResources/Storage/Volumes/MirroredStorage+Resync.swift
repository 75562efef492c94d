extension MirroredStorage {
  /// Copied regions wait until there are so many: then one flush of each half vouches for all of them.
  private static var batch: Int { 64 }

  /// The half that is copied to, and the one that is copied from.
  private var way: (target: Int, source: Int)? {
    guard let source = halves.firstIndex(where: { $0.state == .active }), !isReadOnly else { return nil }
    let target = 1 - source
    switch halves[target].state {
    case .syncing: return (target, source)
    case .active: return behind.isEmpty ? nil : (target, source)
    case .failed: return nil
    }
  }

  /// Copies up to so many regions in which the halves differ. Returns how many are left; 0 also if there is nobody to copy to.
  @discardableResult
  public func resync(regions: Int) -> Int {
    guard way != nil else { return 0 }
    for _ in 0..<regions {
      guard let region = next() else { break }
      cursor = region + 1
      copy(region)
    }
    if way != nil, copied.count >= Self.batch || next() == nil { settle() }
    return way == nil ? 0 : behind.count
  }

  private func next() -> Int? {
    var waiting = behind
    waiting.subtract(copied)
    return waiting.first(from: cursor) ?? waiting.first(from: 0)
  }

  /// One region. If its source cannot be read it stays behind, and its turn comes again.
  func copy(_ region: Int) {
    guard let (target, source) = way, let from = halves[source].half.storage, let to = halves[target].half.storage else { return }
    let start = UInt64(region) * regionSize
    var bytes = [UInt8](repeating: 0, count: Int(min(regionSize, size - start)))
    do throws(StorageFailure) { try from.read(at: start, into: &bytes, 0..<bytes.count) } catch {
      return fail(source, error)
    }
    do throws(StorageFailure) { try to.write(at: start, from: bytes, 0..<bytes.count) } catch {
      return fail(target, error)
    }
    copied.insert(region)
  }

  /// What has been copied is made durable, on both halves; then it is no longer behind.
  private func settle() {
    guard let (target, source) = way, let from = halves[source].half.storage, let to = halves[target].half.storage else { return }
    // What has been copied may be in its source's cache only: a run that was killed has written it, and nobody has flushed since.
    do throws(StorageFailure) { try from.flush() } catch { return fail(source, error) }
    do throws(StorageFailure) { try to.flush() } catch { return fail(target, error) }
    behind.subtract(copied)
    copied.removeAll()
    var bits = unsettled
    bits.formUnion(behind)
    // Failing costs another copy after the next start, and an attempt at the next step.
    do throws(StorageFailure) { try record.write(bits: bits, durably: true) } catch { return }
    guard behind.isEmpty, halves[target].state == .syncing else { return }
    halves[target].state = .active
    recordIsBehind = true
    try? keepRecord()
  }
}
