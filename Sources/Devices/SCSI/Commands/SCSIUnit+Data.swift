import HostResources

/// Data between the medium and a transport, in pieces of any size; the medium itself sees whole blocks only.
extension SCSIUnit {
  /// Fills `buffer` with the task's next bytes and says how many they are. Fewer than there is room for: the data have ended, or the
  /// medium failed, and the task has its status.
  public func read(_ task: inout SCSITask, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    var filled = 0
    while filled < buffer.count, task.direction == .toInitiator, task.moved < task.length {
      let wanted = Int(min(UInt64(buffer.count - filled), task.length - task.moved))
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<filled + wanted])
      let count: Int
      if !task.buffer.isEmpty {
        count = min(wanted, task.buffer.count)
        task.buffer.withUnsafeBytes { rest.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        task.buffer.removeFirst(count)
      } else if case .read(let start) = task.work {
        let offset = start + task.moved
        if wanted >= blockSize {
          count = readBlocks(&task, offset, UnsafeMutableRawBufferPointer(rebasing: rest[..<(wanted / blockSize * blockSize)]))
        } else {
          var block = [UInt8](repeating: 0, count: blockSize)
          guard block.withUnsafeMutableBytes({ readBlocks(&task, offset, $0) }) == blockSize else { break }
          task.buffer = block
          continue
        }
        if count == 0 { break }
      } else {
        break
      }
      task.moved += UInt64(count)
      filled += count
    }
    if task.status == nil, task.direction == .toInitiator, task.moved == task.length { task.end(.good) }
    return filled
  }

  /// Reads ahead, `count` bytes at most, into the task's buffer. A block that fails ends the task behind the good ones.
  func prefetch(_ task: inout SCSITask, _ count: Int) {
    guard task.status == nil, task.buffer.isEmpty, case .read(let start) = task.work, task.moved < task.length else { return }
    let wanted = Int(min(UInt64(count), task.length - task.moved))
    var data = [UInt8](repeating: 0, count: wanted)
    let good = data.withUnsafeMutableBytes { readBlocks(&task, start + task.moved, $0) }
    task.buffer = good == wanted ? data : Array(data[..<good])
    if task.status != nil { task.length = task.moved + UInt64(good) }
  }

  /// Bytes read; fewer than asked for: the block after them failed, and so has the task.
  private func readBlocks(_ task: inout SCSITask, _ offset: UInt64, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
    guard let storage else {
      fail(&task, .mediumNotPresent)
      return 0
    }
    if (try? storage.read(at: offset, into: buffer)) != nil {
      statistics.bytesRead += UInt64(buffer.count)
      return buffer.count
    }
    // Block by block, to name the first bad one.
    var done = 0
    while done < buffer.count {
      do throws(StorageFailure) {
        try storage.read(at: offset + UInt64(done), into: UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + blockSize]))
      } catch {
        fail(&task, sense(error, writing: false, block: (offset + UInt64(done)) / UInt64(blockSize)))
        break
      }
      done += blockSize
    }
    statistics.bytesRead += UInt64(done)
    return done
  }

  /// Takes the task's next bytes from `buffer` and says how many. Fewer than there are: no more are wanted, or the medium failed.
  public func write(_ task: inout SCSITask, from buffer: UnsafeRawBufferPointer) -> Int {
    var taken = 0
    while taken < buffer.count, task.status == nil, task.direction == .fromInitiator, task.moved < task.length {
      let offered = Int(min(UInt64(buffer.count - taken), task.length - task.moved))
      let rest = UnsafeRawBufferPointer(rebasing: buffer[taken..<taken + offered])
      let start = task.work.dataStart
      let count: Int
      if let start, task.buffer.isEmpty, offered >= blockSize {
        count = offered / blockSize * blockSize
        storeBlocks(&task, start + task.moved, UnsafeRawBufferPointer(rebasing: rest[..<count]))
      } else {
        // Parameters; or less than a block, until the rest of it comes.
        count = start == nil ? offered : min(offered, blockSize - task.buffer.count)
        task.buffer.append(contentsOf: rest[..<count])
        if let start, task.buffer.count == blockSize {
          let block = task.buffer
          task.buffer = []
          block.withUnsafeBytes { storeBlocks(&task, start + task.moved + UInt64(count) - UInt64(blockSize), $0) }
        }
      }
      if task.status != nil { break }
      task.moved += UInt64(count)
      taken += count
    }
    return taken
  }

  private func storeBlocks(_ task: inout SCSITask, _ offset: UInt64, _ data: UnsafeRawBufferPointer) {
    let block = offset / UInt64(blockSize)
    guard let storage else { return fail(&task, .mediumNotPresent) }
    do throws(StorageFailure) {
      if case .compare = task.work {
        var found = [UInt8](repeating: 0, count: data.count)
        var failure: StorageFailure?
        found.withUnsafeMutableBytes { bytes in
          do throws(StorageFailure) { try storage.read(at: offset, into: bytes) } catch { failure = error }
        }
        if let failure { throw failure }
        if !found.elementsEqual(data) { fail(&task, .miscompared) }
      } else {
        try storage.write(at: offset, from: data)
        statistics.bytesWritten += UInt64(data.count)
      }
    } catch {
      fail(&task, sense(error, writing: task.work.writes, block: block))
    }
  }

  /// Does the next part of what a command does beside moving data, and ends the task when nothing is left. Bounded: transports call it
  /// until there is a status, with other work in between.
  public func proceed(_ task: inout SCSITask) {
    guard task.status == nil, task.moved == task.length else { return }
    switch task.work {
    case .parameters:
      if task.direction == .fromInitiator {
        do throws(SCSISense) { try parametersArrived(&task) } catch { fail(&task, error) }
      }
      if task.status == nil { task.end(.good) }
    case .read, .compare: task.end(.good)
    case .write:
      if task.flushesAfterwards { flush(&task) }
      if task.status == nil { task.end(.good) }
    case .verify(let offset, let remaining):
      let count = Int(min(remaining, UInt64(Self.largestStep)))
      var scratch = [UInt8](repeating: 0, count: count)
      let good = scratch.withUnsafeMutableBytes { readBlocks(&task, offset, $0) }
      if good == count { task.work = .verify(offset: offset + UInt64(count), remaining: remaining - UInt64(count)) }
      if task.status == nil && remaining == UInt64(count) { task.end(.good) }
    case .flush:
      flush(&task)
      if task.status == nil { task.end(.good) }
    }
  }

  func flush(_ task: inout SCSITask) {
    guard let storage, !storage.isReadOnly else { return }
    statistics.flushes += 1
    do throws(StorageFailure) { try storage.flush() } catch { fail(&task, sense(error, writing: true, block: nil)) }
  }

  /// Flushes outside of commands: the write cache goes away.
  func flushNow() throws(SCSISense) {
    guard let storage, !storage.isReadOnly else { return }
    statistics.flushes += 1
    do throws(StorageFailure) { try storage.flush() } catch { throw sense(error, writing: true, block: nil) }
  }

  private func sense(_ failure: StorageFailure, writing: Bool, block: UInt64?) -> SCSISense {
    switch failure {
    case .outside: .blockOutOfRange
    case .readOnly: .writeProtected
    // A disk has no code for a host without room; what matters is that the data are not there.
    case .noSpace, .host: writing ? .writeError(block: block) : .readError(block: block)
    }
  }
}

extension SCSITask.Work {
  /// Where the medium's part of data from the initiator begins; nil for parameters.
  fileprivate var dataStart: UInt64? {
    switch self {
    case .write(let offset), .compare(let offset): offset
    default: nil
    }
  }
  fileprivate var writes: Bool {
    if case .write = self { true } else { false }
  }
}
