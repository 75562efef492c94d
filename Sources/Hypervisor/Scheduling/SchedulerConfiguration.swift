extension CreditScheduler {
  // MARK: Domains

  /// The weight is relative to other domains'; the cap is in percent of one processor, 0 is none.
  public mutating func addDomain(_ id: Int, weight: Int = defaultWeight, cap: Int = 0) throws(Failure) {
    guard Self.weightRange.contains(weight) else { throw .weight(weight) }
    guard Self.capRange.contains(cap) else { throw .cap(cap) }
    guard !domains.contains(where: { $0.id == id }) else { throw .domainExists(id) }
    let record = DomainRecord(id: id, weight: weight, cap: cap)
    if let free = domains.firstIndex(where: { $0.id == nil }) { domains[free] = record } else { domains.append(record) }
  }

  /// Removes a domain with its virtual processors. Returns the processors that ran one.
  public mutating func removeDomain(_ id: Int, now: UInt64) throws(Failure) -> ProcessorMask {
    let domain = try slot(ofDomain: id)
    advance(to: now)
    var mask: ProcessorMask = 0
    for v in members(domain) { mask |= discard(v) }
    domains[domain].id = nil
    return mask
  }

  /// Holds from the time since the last accounting on.
  public mutating func setWeight(_ weight: Int, ofDomain id: Int, now: UInt64) throws(Failure) {
    guard Self.weightRange.contains(weight) else { throw .weight(weight) }
    let domain = try slot(ofDomain: id)
    advance(to: now)
    domains[domain].weight = weight
    limitCredits(domain)
  }

  /// A virtual processor that was parked for a cap that is gone may run at once: the processors that must look.
  public mutating func setCap(_ cap: Int, ofDomain id: Int, now: UInt64) throws(Failure) -> ProcessorMask {
    guard Self.capRange.contains(cap) else { throw .cap(cap) }
    let domain = try slot(ofDomain: id)
    advance(to: now)
    domains[domain].cap = cap
    let started = members(domain).filter { vcpus[$0].isStarted }
    limitCredits(domain)
    // A new cap starts with one period's worth.
    for v in members(domain) {
      vcpus[v].allowance = ration(domain, members: started.count).map { min($0, max(0, vcpus[v].allowance ?? $0)) }
    }
    var mask: ProcessorMask = 0
    for v in started where vcpus[v].isParked && !vcpus[v].isExhausted { mask |= unpark(v) }
    for v in started where vcpus[v].state == .running {
      vcpus[v].sliceEnd = min(vcpus[v].sliceEnd, sliceEnd(v))
      mask |= bit(vcpus[v].processor)
    }
    return mask
  }

  public func weight(ofDomain id: Int) throws(Failure) -> Int { domains[try slot(ofDomain: id)].weight }

  public func cap(ofDomain id: Int) throws(Failure) -> Int { domains[try slot(ofDomain: id)].cap }

  /// Every domain, lowest number first.
  public var domainNumbers: [Int] { domains.compactMap(\.id).sorted() }

  /// The domain's virtual processors in order of creation.
  public func virtualProcessors(ofDomain id: Int) throws(Failure) -> [Handle] {
    members(try slot(ofDomain: id)).sorted { vcpus[$0].serial < vcpus[$1].serial }.map(handle)
  }

  // MARK: Virtual processors

  /// The new one is offline until its first ``wake(_:now:)``.
  public mutating func addVirtualProcessor(to id: Int, affinity: ProcessorMask = .max, now: UInt64) throws(Failure) -> Handle {
    let domain = try slot(ofDomain: id)
    let usable = affinity & allProcessors
    guard usable != 0 else { throw .affinity(affinity, processors: processors) }
    let free = vcpus.firstIndex { $0.serial == 0 }
    guard free != nil || vcpus.count < Self.maximumVirtualProcessors else { throw .tooManyVirtualProcessors }
    advance(to: now)
    var record = VirtualProcessorRecord()
    record.serial = nextSerial
    record.domain = domain
    record.affinity = affinity
    record.created = clock
    record.since = clock
    // The first ones spread over the processors they may use.
    let choices = Array(ProcessorNumbers(usable))
    record.processor = choices[Int(nextSerial % UInt64(choices.count))]
    record.allowance = ration(domain, members: members(domain).count + 1)
    nextSerial += 1
    let v = free ?? vcpus.count
    if v == vcpus.count { vcpus.append(record) } else { vcpus[v] = record }
    return handle(v)
  }

  /// Returns the processor that ran it.
  public mutating func remove(_ handle: Handle, now: UInt64) throws(Failure) -> ProcessorMask {
    let v = try slot(handle)
    advance(to: now)
    return discard(v)
  }

  /// Returns the processors that must look: the one that may not run it any longer, or one that now may.
  public mutating func setAffinity(_ affinity: ProcessorMask, of handle: Handle, now: UInt64) throws(Failure) -> ProcessorMask {
    let v = try slot(handle)
    guard affinity & allProcessors != 0 else { throw .affinity(affinity, processors: processors) }
    advance(to: now)
    // Moving it is easiest if it waits nowhere.
    let wasQueued = dequeue(v)
    vcpus[v].affinity = affinity
    settle(v)
    vcpus[v].credit = min(max(vcpus[v].credit, -Int64(period)), Int64(period))
    if wasQueued { return place(v) }
    let isOutside = allowed(v) & bit(vcpus[v].processor) == 0
    if vcpus[v].state == .running { return isOutside ? bit(vcpus[v].processor) : makeRoomForOne() }
    if isOutside { vcpus[v].processor = allowed(v).trailingZeroBitCount }
    return 0
  }

  public func affinity(of handle: Handle) throws(Failure) -> ProcessorMask { vcpus[try slot(handle)].affinity }

  public func domain(of handle: Handle) throws(Failure) -> Int {
    let domain = domains[vcpus[try slot(handle)].domain].id
    guard let domain else { throw .unknownVirtualProcessor }
    return domain
  }

  // MARK: What the parts share

  func slot(ofDomain id: Int) throws(Failure) -> Int {
    guard let slot = domains.firstIndex(where: { $0.id == id }) else { throw .unknownDomain(id) }
    return slot
  }

  func slot(_ handle: Handle) throws(Failure) -> Int {
    guard vcpus.indices.contains(handle.slot), handle.serial != 0, vcpus[handle.slot].serial == handle.serial else {
      throw .unknownVirtualProcessor
    }
    return handle.slot
  }

  func handle(_ v: Int) -> Handle { Handle(slot: v, serial: vcpus[v].serial) }

  func members(_ domain: Int) -> [Int] { vcpus.indices.filter { vcpus[$0].serial != 0 && vcpus[$0].domain == domain } }

  func bit(_ cpu: Int) -> ProcessorMask { 1 << UInt64(cpu) }

  /// A virtual processor's part of its domain's cap in one period; nil if there is no cap.
  func ration(_ domain: Int, members: Int) -> Int64? {
    guard domains[domain].cap != 0 else { return nil }
    return Int64(min(period, period * UInt64(domains[domain].cap) / 100 / UInt64(max(1, members))))
  }

  /// What was saved up or owed under other parameters must not last: no more than one period's worth.
  private mutating func limitCredits(_ domain: Int) {
    let most = Int64(period)
    for v in members(domain) {
      settle(v)
      vcpus[v].credit = min(max(vcpus[v].credit, -most), most)
    }
    sortQueues()
  }

  /// Takes a virtual processor out of the world.
  private mutating func discard(_ v: Int) -> ProcessorMask {
    settle(v)
    let mask = release(v)
    vcpus[v] = VirtualProcessorRecord()
    return mask
  }
}
