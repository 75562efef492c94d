import Platform

/// Commands from the request queue to their answers.
extension VirtioSCSI {
  func takeCommands() {
    while let transport, let memory, let chain = transport.take(Queue.request) {
      let request = transport.attempt { () throws(VirtqueueFault) in
        try VirtioSCSIRequest(
          chain, serial: state.nextSerial, commandSize: Int(state.commandSize), senseSize: Int(state.senseSize), memory)
      }
      guard let request else { return }
      state.nextSerial += 1
      state.requests.append(request)
      begin(state.requests.count - 1)
    }
  }

  private func begin(_ index: Int) {
    var end = now &+ VirtioMedium.answerTime
    let request = state.requests[index]
    if let number = request.unit, let unit = units[number.target] {
      let task = number.number == 0 ? unit.begin(request.command, initiator: 0) : SCSIUnit.absent(request.command, initiator: 0)
      state.requests[index].task = task
      if task.touchesMedium {
        let bytes = min(task.length, UInt64(max(request.readableData, request.writableData)))
        end = unit.timing.request(bytes, isWrite: task.direction == .fromInitiator, now: now)
      }
    }
    schedule(request.serial, at: end)
  }

  /// The medium, or whoever answers, has done its part.
  func proceed(_ serial: UInt64) {
    guard let index = state.requests.firstIndex(where: { $0.serial == serial }) else { return }
    var request = state.requests.remove(at: index)
    _ = transport?.attempt { () throws(VirtqueueFault) in
      guard let memory, let target = request.target, let unit = units[target], var task = request.task else {
        try finish(request, .badTarget)
        return ()
      }
      try move(&task, &request, unit, memory)
      let isShort = task.moved < task.length && task.status == nil
      if !isShort && task.status == nil { unit.proceed(&task) }
      request.task = task
      if isShort || task.direction == .toInitiator && task.moved < task.length && task.status == .good {
        // The command wants more than there are buffers for.
        try finish(request, .overrun)
      } else if task.status == nil {
        // A long verification goes on, with other things in between.
        state.requests.append(request)
        let end = unit.timing.request(UInt64(SCSIUnit.largestStep), isWrite: false, now: now)
        schedule(serial, at: end)
      } else {
        try finish(request, .ok)
      }
      return ()
    }
  }

  /// Data between the unit and the guest's buffers, as far as both go.
  private func move(
    _ task: inout SCSITask, _ request: inout VirtioSCSIRequest, _ unit: SCSIUnit, _ memory: any DMAPort
  ) throws(VirtqueueFault) {
    let isRead = task.direction == .toInitiator
    guard task.direction != .none, isRead || task.status == nil else { return }
    let room = isRead ? request.writableData : request.readableData
    while request.moved < room, task.moved < task.length {
      let size = Int(min(UInt64(min(VirtioMedium.chunk, room - request.moved)), task.length - task.moved))
      let count: Int
      if isRead {
        var buffer = [UInt8](repeating: 0, count: size)
        count = buffer.withUnsafeMutableBytes { unit.read(&task, into: $0) }
        if count < size { buffer.removeLast(size - count) }
        try request.chain.write(at: request.writableStart + request.moved, buffer, memory)
      } else {
        let data = try request.chain.bytes(at: request.readableStart + request.moved, count: size, memory)
        count = data.withUnsafeBytes { unit.write(&task, from: $0) }
      }
      request.moved += count
      if count < size { return }
    }
  }

  func finish(_ request: VirtioSCSIRequest, _ response: VirtioSCSIRequest.Response) throws(VirtqueueFault) {
    guard let memory else { return }
    try request.chain.write(request.answer(response), memory)
    let isRead = request.task?.direction == .toInitiator
    transport?.finish(request.chain, written: request.writableStart + (isRead ? request.moved : 0))
  }

  /// Ends commands that will not be done.
  func drop(_ response: VirtioSCSIRequest.Response, where condition: (VirtioSCSIRequest) -> Bool) {
    let dropped = state.requests.filter(condition)
    state.requests.removeAll(where: condition)
    for request in dropped {
      _ = transport?.attempt { () throws(VirtqueueFault) in try finish(request, response) }
    }
  }
}
