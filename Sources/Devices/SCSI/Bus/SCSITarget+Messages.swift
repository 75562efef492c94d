/// What the initiator says in MESSAGE OUT, and what follows from it.
extension SCSITarget {
  /// ATN has gone away: everything that came in is looked at, in its order.
  func messagesArrived() {
    guard let bytes = state.connection?.incoming else { return }
    state.connection?.incoming = []
    var at = 0
    var replies: [[UInt8]] = []
    while at < bytes.count {
      guard let c = state.connection else { return }
      let message = bytes[at]
      at += 1
      switch message {
      case SCSIMessage.identify...:
        state.connection?.lun = message & 0x3F
        state.connection?.mayDisconnect = message & SCSIMessage.disconnectPrivilege != 0
      case SCSIMessage.simpleTag...SCSIMessage.orderedTag where at < bytes.count:
        state.connection?.tag = [message, bytes[at]]
        at += 1
      case SCSIMessage.extended where at + 1 < bytes.count:
        let length = bytes[at] == 0 ? 256 : Int(bytes[at])
        let content = Array(bytes[(at + 1)...].prefix(length))
        at += 1 + content.count
        replies.append(content.count == length ? negotiate(content) : [SCSIMessage.messageReject])
      case SCSIMessage.abortTaskSet:
        drop { $0.initiator == c.initiator && $0.lun == c.lun }
        return disconnect()
      case SCSIMessage.abortTask:
        drop { $0.serial == c.nexus || $0.isSame(initiator: c.initiator, lun: c.lun, tag: c.tag) }
        return disconnect()
      case SCSIMessage.clearTaskSet:
        for nexus in state.queue where nexus.initiator != c.initiator { unit.commandsCleared(for: nexus.initiator) }
        drop { $0.lun == c.lun }
        return disconnect()
      case SCSIMessage.targetReset, SCSIMessage.logicalUnitReset:
        disconnect()
        return reset(.deviceReset)
      case SCSIMessage.noOperation: break
      case SCSIMessage.initiatorDetectedError:
        // The data are not to be trusted; the command ends (SPI-4, section 16.5.2).
        if let index = c.nexus.flatMap(index(of:)) {
          unit.fail(&state.queue[index].task, .initiatorDetectedError)
          state.queue[index].stage = .status
        }
      case SCSIMessage.messageReject:
        if c.lastMessage.first == SCSIMessage.extended {
          // A negotiation that was not understood leaves nothing agreed.
          state.agreements[Int(c.initiator)] = SCSIAgreement()
        } else if c.lastMessage == [SCSIMessage.disconnect], let index = c.nexus.flatMap(index(of:)) {
          // The target stays (SPI-4, section 16.3.3).
          state.queue[index].mayDisconnect = false
          state.connection?.next = .task
        }
      case SCSIMessage.messageParityError: state.connection?.messageOffset = 0
      default: replies.append([SCSIMessage.messageReject])
      }
    }
    state.connection?.messages.insert(contentsOf: replies, at: 0)
    if !replies.isEmpty { state.connection?.messageOffset = 0 }
    advance()
  }

  private func negotiate(_ content: [UInt8]) -> [UInt8] {
    guard let initiator = state.connection?.initiator else { return [] }
    let n = Int(initiator)
    switch (content[0], content.count) {
    case (SCSIMessage.synchronousTransfer, 3):
      return state.agreements[n].answerSynchronous(period: content[1], offset: content[2])
    case (SCSIMessage.wideTransfer, 2): return state.agreements[n].answerWide(exponent: content[1])
    case (SCSIMessage.parallelProtocol, 6):
      return state.agreements[n].answerParallelProtocol(period: content[1], offset: content[3], exponent: content[4])
    default: return [SCSIMessage.messageReject]
    }
  }

  // MARK: The queue

  func index(of serial: UInt64) -> Int? { state.queue.firstIndex { $0.serial == serial } }

  func remove(_ serial: UInt64) { drop { $0.serial == serial } }

  /// Forgets commands; those that waited for them may run.
  func drop(_ condition: (Nexus) -> Bool) {
    let gone = state.queue.filter(condition).map(\.serial)
    guard !gone.isEmpty else { return }
    state.queue.removeAll { gone.contains($0.serial) }
    state.ready.removeAll { gone.contains($0) }
    unblock()
  }
}
