import Foundation
import HostResources

/// A disk in memory with a write cache: what a crash of the host loses of it, and what a killed process leaves.
final class TestDisk: BlockStorage {
  private var durable: [UInt8]
  private var cache: [Int: [UInt8]] = [:]
  let isReadOnly = false

  init(_ bytes: [UInt8]) { durable = bytes }
  convenience init(size: Int) { self.init([UInt8](repeating: 0, count: size)) }

  var size: UInt64 { UInt64(durable.count) }
  var contents: [UInt8] {
    var bytes = durable
    for (sector, data) in cache { bytes.replaceSubrange(sector * 512..<(sector + 1) * 512, with: data) }
    return bytes
  }

  func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageFailure) {
    guard offset <= size, UInt64(buffer.count) <= size - offset else { throw .outside }
    for n in 0..<buffer.count / 512 {
      let sector = Int(offset) / 512 + n
      let part = UnsafeMutableRawBufferPointer(rebasing: buffer[n * 512..<(n + 1) * 512])
      part.copyBytes(from: cache[sector] ?? Array(durable[sector * 512..<(sector + 1) * 512]))
    }
  }
  func write(at offset: UInt64, from buffer: UnsafeRawBufferPointer) throws(StorageFailure) {
    guard offset <= size, UInt64(buffer.count) <= size - offset else { throw .outside }
    for n in 0..<buffer.count / 512 { cache[Int(offset) / 512 + n] = Array(buffer[n * 512..<(n + 1) * 512]) }
  }
  func flush() throws(StorageFailure) {
    durable = contents
    cache = [:]
  }

  /// The host stops: each sector of the cache has been stored, or not.
  func crash(_ random: inout StorageRandom) {
    for (sector, data) in cache.sorted(by: { $0.key < $1.key }) where random.below(2) == 0 {
      durable.replaceSubrange(sector * 512..<(sector + 1) * 512, with: data)
    }
    cache = [:]
  }
}

/// Fails when a test says so, or now and then.
final class FaultyStorage: BlockStorage {
  private let storage: any BlockStorage
  private var random: StorageRandom
  /// Nothing works any more.
  var isDead = false
  /// The request with this number from now on fails: 0 is the next one.
  var failsIn: Int?
  /// One request in so many fails; 0: none.
  var oddsOfFailure = 0
  /// Of writes that fail, some sectors are stored.
  var tears = true
  private(set) var requests = 0
  private(set) var flushes = 0

  init(_ storage: any BlockStorage, seed: UInt64 = 1) {
    self.storage = storage
    random = StorageRandom(state: seed)
  }

  var size: UInt64 { storage.size }
  var isReadOnly: Bool { storage.isReadOnly }

  private func fails() -> Bool {
    requests += 1
    defer { failsIn = failsIn.flatMap { $0 == 0 ? nil : $0 - 1 } }
    return isDead || failsIn == 0 || (oddsOfFailure > 0 && random.below(oddsOfFailure) == 0)
  }

  func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageFailure) {
    if fails() { throw .host(errno: EIO) }
    try storage.read(at: offset, into: buffer)
  }
  func write(at offset: UInt64, from buffer: UnsafeRawBufferPointer) throws(StorageFailure) {
    guard fails() else { return try storage.write(at: offset, from: buffer) }
    if tears, !isDead {
      for n in 0..<buffer.count / 512 where random.below(2) == 0 {
        try storage.write(at: offset + UInt64(n * 512), from: UnsafeRawBufferPointer(rebasing: buffer[n * 512..<(n + 1) * 512]))
      }
    }
    throw .host(errno: EIO)
  }
  func flush() throws(StorageFailure) {
    flushes += 1
    if fails() { throw .host(errno: EIO) }
    try storage.flush()
  }
}

/// What each sector may have in it, by the rules of a disk with a write cache. Sectors are filled with a number.
struct SectorModel {
  /// What a read may find now, and after a crash of the host.
  private var now: [Set<UInt64>]
  private var durable: [Set<UInt64>]
  private var next: UInt64 = 1
  /// Sectors of writes that have failed since the last flush: what is read of them is not bound to outlast the process.
  private var uncertain: Set<Int> = []

  init(sectors: Int) {
    now = [Set<UInt64>](repeating: [0], count: sectors)
    durable = now
  }

  var sectors: Int { now.count }

  /// Other contents with each call.
  mutating func data(_ count: Int) -> (value: UInt64, bytes: [UInt8]) {
    defer { next += 1 }
    let word = withUnsafeBytes(of: next.littleEndian) { Array($0) }
    return (next, (0..<count * 64).flatMap { _ in word })
  }

  mutating func written(_ range: Range<Int>, _ value: UInt64, acknowledged: Bool) {
    for sector in range {
      if acknowledged { now[sector] = [value] } else { now[sector].insert(value) }
      durable[sector].insert(value)
      if !acknowledged { uncertain.insert(sector) }
    }
  }
  mutating func flushed() {
    durable = now
    uncertain = []
  }
  mutating func crashed() { now = durable }
  mutating func killed() {
    for sector in uncertain { now[sector].formUnion(durable[sector]) }
  }

  /// Whether these are allowed contents. What has been read once is what is there.
  mutating func accepts(_ bytes: [UInt8], at first: Int) -> Bool {
    for n in 0..<bytes.count / 512 {
      let words = bytes[n * 512..<(n + 1) * 512].withUnsafeBytes { Array($0.bindMemory(to: UInt64.self)) }
      guard let value = words.first, words.allSatisfy({ $0 == value }), now[first + n].contains(UInt64(littleEndian: value)) else {
        return false
      }
      now[first + n] = [UInt64(littleEndian: value)]
    }
    return true
  }
}
