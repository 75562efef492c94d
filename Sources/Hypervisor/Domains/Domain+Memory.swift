extension Domain {
  /// Bytes that the machine keeps for the domain's RAM; the firmware's own is part of it.
  public var promisedMemory: UInt64 { memory.promised << FramePool.frameShift }

  /// Changes how much that is, as far as that is possible without the guest's help; see ``DomainMemory/promise(_:)``. Between runs only.
  public func promise(_ bytes: UInt64) throws(FramePool.Failure) {
    // Frames are about to leave: nothing may lead to them any more.
    for processor in virtualProcessors { processor.processor.purgeMachine() }
    try memory.promise(bytes >> FramePool.frameShift)
  }
}
