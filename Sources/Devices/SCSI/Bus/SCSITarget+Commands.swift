import Platform

/// Commands from their arrival to their status.
extension SCSITarget {
  func commandArrived() {
    guard let c = state.connection else { return }
    // Without an IDENTIFY message the command itself names the unit, as in the first SCSI.
    let lun = c.lun
    let serial = state.nextSerial
    state.nextSerial = (serial + 1) & UInt64.max >> 4
    let isOverlapped = state.queue.contains { $0.isSame(initiator: c.initiator, lun: lun, tag: c.tag) }
    let isFull = state.queue.count >= Self.queueDepth
    if isOverlapped { drop { $0.initiator == c.initiator && $0.lun == lun } }
    var task: SCSITask
    if lun != 0 {
      task = SCSIUnit.absent(c.incoming, initiator: c.initiator)
    } else if isOverlapped {
      task = SCSITask(c.incoming, initiator: c.initiator)
      unit.fail(&task, .overlappedCommands)
    } else if isFull {
      task = SCSITask(c.incoming, initiator: c.initiator)
      task.end(.taskSetFull)
    } else {
      task = unit.begin(c.incoming, initiator: c.initiator)
    }
    state.queue.append(
      Nexus(serial: serial, initiator: c.initiator, lun: lun, tag: c.tag, mayDisconnect: c.mayDisconnect, task: task))
    state.connection?.nexus = serial
    state.connection?.next = .task
    if task.status != nil || !task.touchesMedium {
      // Nothing that has an order: data are there, or the status is.
      state.queue[state.queue.count - 1].stage = .data
    } else {
      start(state.queue.count - 1)
    }
    advance()
  }

  // MARK: Order (SAM-3, section 8.6)

  private func mayRun(_ index: Int) -> Bool {
    let nexus = state.queue[index]
    switch nexus.tag.first {
    case SCSIMessage.headOfQueueTag: return true
    case SCSIMessage.orderedTag: return index == 0
    default: return !state.queue[..<index].contains { $0.tag.first == SCSIMessage.orderedTag }
    }
  }

  private func start(_ index: Int) {
    guard mayRun(index) else { return }
    let nexus = state.queue[index]
    if nexus.task.direction == .fromInitiator {
      state.queue[index].stage = .data
    } else {
      state.queue[index].stage = .access
      useMedium(nexus.serial, bytes: nexus.task.length)
    }
  }

  func unblock() {
    for index in state.queue.indices where state.queue[index].stage == .blocked {
      start(index)
      if state.queue[index].stage == .data { goOn(state.queue[index].serial) }
    }
  }

  /// One thing after another: the medium has one head.
  private func useMedium(_ serial: UInt64, bytes: UInt64) {
    if let index = index(of: serial), forgets?(state.queue[index].task.command) == true { return }
    let now = bus.now
    let isWrite = index(of: serial).map { state.queue[$0].task.direction == .fromInitiator } ?? false
    let end = unit.timing.access(bytes, isWrite: isWrite, now: now)
    bus.schedule(serial, of: id, after: end - now)
  }

  /// The medium has done its part for a command, or a pause is over.
  func accessed(_ serial: UInt64) {
    guard let index = index(of: serial) else { return }
    switch state.queue[index].stage {
    case .access where state.queue[index].task.direction == .toInitiator:
      unit.prefetch(&state.queue[index].task, Self.largestBurst)
      state.queue[index].stage = .data
    case .access, .settle:
      unit.proceed(&state.queue[index].task)
      guard state.queue[index].task.status != nil else { return useMedium(serial, bytes: UInt64(SCSIUnit.largestStep)) }
      state.queue[index].stage = .status
    case .data: unit.prefetch(&state.queue[index].task, Self.largestBurst)
    case .blocked, .status: return
    }
    goOn(serial)
  }

  /// A command that waited can go on: where it is, if it has the bus, or by reselection.
  private func goOn(_ serial: UInt64) {
    if state.connection?.nexus == serial {
      // Not while the target says that it leaves: then it comes back.
      guard state.connection?.phase == nil else {
        if !state.ready.contains(serial) { state.ready.append(serial) }
        return
      }
      advance()
    } else if !state.ready.contains(serial) {
      state.ready.append(serial)
    }
    bus.changed()
  }

  // MARK: With the bus

  /// The next phase of the connected command.
  func runTask() {
    guard let serial = state.connection?.nexus, let index = index(of: serial) else { return disconnect() }
    switch state.queue[index].stage {
    case .blocked, .access, .settle: leaveOrWait(index)
    case .status: state.connection?.phase = .status
    case .data:
      let task = state.queue[index].task
      if task.moved < task.length && (task.status == nil || task.direction == .toInitiator) {
        if state.connection?.burst == 0 && state.queue[index].mayDisconnect {
          leaveOrWait(index)
          bus.schedule(serial, of: id, after: Self.pauseTime)
        } else {
          if state.connection?.burst == 0 { state.connection?.burst = Self.largestBurst }
          state.connection?.phase = task.direction == .toInitiator ? .dataIn : .dataOut
        }
      } else if task.settlesAfterData {
        state.queue[index].stage = .settle
        useMedium(serial, bytes: task.length)
        leaveOrWait(index)
      } else {
        // Parameters are looked at, and the write cache answers, at once.
        unit.proceed(&state.queue[index].task)
        state.queue[index].stage = .status
        state.connection?.phase = .status
      }
    }
  }

  /// Gives the bus back while the command waits, if the initiator lets the target.
  private func leaveOrWait(_ index: Int) {
    guard state.queue[index].mayDisconnect else {
      state.connection?.phase = nil
      return
    }
    let task = state.queue[index].task
    // The initiator forgets what has been moved unless it is told to remember (SPI-4, section 16.3.12).
    let isInData = task.moved > 0 && task.moved < task.length
    state.connection?.messages = (isInData ? [[SCSIMessage.saveDataPointers]] : []) + [[SCSIMessage.disconnect]]
    state.connection?.messageOffset = 0
    state.connection?.next = .free
    advance()
  }

  // MARK: Data

  func sendData(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    guard let c = state.connection, let index = c.nexus.flatMap(index(of:)) else { return 0 }
    let room = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, c.burst)])
    var count = unit.read(&state.queue[index].task, into: room)
    let task = state.queue[index].task
    let isOver = task.moved >= task.length
    if isOver, agreement.isWide, task.moved & 1 != 0, count < buffer.count {
      // The last transfer has one byte too many, and the initiator is told (SPI-4, section 16.3.6).
      buffer[count] = 0
      count += 1
      state.connection?.messages.append([SCSIMessage.ignoreWideResidue, 1])
    }
    state.connection?.burst -= min(count, c.burst)
    if isOver || state.connection?.burst == 0 { advance() }
    return count
  }

  func receiveData(from buffer: UnsafeRawBufferPointer) -> Int {
    guard let c = state.connection, let index = c.nexus.flatMap(index(of:)) else { return 0 }
    var count = unit.write(&state.queue[index].task, from: UnsafeRawBufferPointer(rebasing: buffer[..<min(buffer.count, c.burst)]))
    let task = state.queue[index].task
    let isOver = task.status != nil || task.moved >= task.length
    if isOver, agreement.isWide, task.moved & 1 != 0, count < buffer.count { count += 1 }
    state.connection?.burst -= min(count, c.burst)
    if isOver || state.connection?.burst == 0 { advance() }
    return count
  }
}
