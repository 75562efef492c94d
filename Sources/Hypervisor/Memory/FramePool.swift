import Processor

/// The machine's memory in frames of 16 KiB, and who may have how many of them.
///
/// What is promised to a domain (``reserve(_:)``) is there when the domain touches it (``take()``): frames are given out one by one, and
/// what comes back is cleared before anybody else sees it.
public final class FramePool {
  public static let frameShift = UInt64(LogicalProcessor.machinePageShift)
  public static let frameSize = UInt64(1) << frameShift

  public enum Failure: Error, Equatable, CustomStringConvertible {
    case notEnough(wanted: UInt64, free: UInt64)
    public var description: String {
      switch self {
      case .notEnough(let wanted, let free):
        "\(wanted >> 20) MiB of memory are needed, and \(free >> 20) MiB are free"
      }
    }
  }

  public let memory: PhysicalMemory
  /// Frames of the machine, and of these: not promised to anybody.
  public let total: UInt64
  public var unreserved: UInt64 { released - min(released, UInt64(awaited.count)) }
  /// Frames that nobody has a promise for, whether they have come back yet or not.
  private var released: UInt64
  /// The next frame that was never given out, and those that came back.
  private var next: UInt64 = 0
  private var returned: [UInt32] = []
  /// First addresses of pieces that were taken together and came back, by their size.
  private var pieces: [UInt64: [UInt64]] = [:]
  /// Frames that somebody besides their owner shows, and how often; and those of them that their owner has given back meanwhile.
  private var holds: [UInt32: Int] = [:]
  private var awaited: Set<UInt32> = []

  /// `size`: bytes of the machine's memory. The first `kept` bytes are the host's and the hypervisor's.
  public init(size: UInt64, kept: UInt64) throws {
    memory = try PhysicalMemory(layout: [(base: 0, size: size & ~(Self.frameSize - 1))])
    total = size >> Self.frameShift
    // Frame 0 is nobody's: it stands for none in tables.
    next = max(1, (kept + Self.frameSize - 1) >> Self.frameShift)
    released = total - min(total, next)
  }

  /// Bytes that are not promised to anybody.
  public var free: UInt64 { unreserved << Self.frameShift }

  /// Promises `frames` frames.
  public func reserve(_ frames: UInt64) throws(Failure) {
    guard frames <= unreserved else { throw .notEnough(wanted: frames << Self.frameShift, free: free) }
    released -= frames
  }

  /// Takes a promise back; the frames themselves have been given back before.
  public func release(_ frames: UInt64) { released += frames }

  /// A frame of zeros, out of what has been reserved. Its number is its address divided by ``frameSize``.
  public func take() -> UInt32 {
    if let frame = returned.popLast() { return frame }
    if next < total {
      next += 1
      return UInt32(next - 1)
    }
    // Whole pieces are broken up last.
    for size in pieces.keys.sorted() {
      guard let start = pieces[size]?.popLast() else { continue }
      for frame in start >> Self.frameShift..<(start + size) >> Self.frameShift { returned.append(UInt32(frame)) }
      if let frame = returned.popLast() { return frame }
    }
    preconditionFailure("more frames were taken than reserved")
  }

  /// Reserves and takes frames that lie together, aligned to their size: `bytes` is a power of two, a frame at least. Returns the first
  /// address. They come from memory that nobody has had yet or that was a piece of this size before, so this can fail although enough is
  /// free.
  public func takeTogether(bytes: UInt64) throws(Failure) -> UInt64 {
    try reserve(bytes >> Self.frameShift)
    if let start = pieces[bytes]?.popLast() { return start }
    let start = ((next << Self.frameShift) + bytes - 1) & ~(bytes - 1)
    let end = (start + bytes) >> Self.frameShift
    guard end <= total else {
      release(bytes >> Self.frameShift)
      throw .notEnough(wanted: bytes, free: (total - next) << Self.frameShift)
    }
    // What alignment leaves over is not lost.
    for frame in next..<start >> Self.frameShift { returned.append(UInt32(frame)) }
    next = end
    return start
  }

  /// Gives back, and no longer reserves, what ``takeTogether(bytes:)`` returned.
  public func giveBackTogether(_ start: UInt64, bytes: UInt64) {
    memory.clear(start, count: bytes)
    pieces[bytes, default: []].append(start)
    release(bytes >> Self.frameShift)
  }

  /// A frame that is held becomes free when it is let go.
  public func giveBack(_ frame: UInt32) {
    guard holds[frame] == nil else {
      awaited.insert(frame)
      return
    }
    memory.clear(UInt64(frame) << Self.frameShift, count: Self.frameSize)
    returned.append(frame)
  }

  // MARK: Frames that others show

  /// Keeps a frame from being given to anybody else, whatever its owner does, until it is let go as often as it was held.
  public func hold(_ frame: UInt32) { holds[frame, default: 0] += 1 }
  public func isHeld(_ frame: UInt32) -> Bool { holds[frame] != nil }

  public func letGo(_ frame: UInt32) {
    guard let count = holds[frame] else { return }
    holds[frame] = count > 1 ? count - 1 : nil
    if count == 1, awaited.remove(frame) != nil { giveBack(frame) }
  }
}
