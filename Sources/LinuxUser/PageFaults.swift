import Processor

/// What became of a reference to a page.
enum PageOutcome {
  case present(physical: UInt64, protection: Protection)
  /// Nothing is mapped there.
  case unmapped
  /// The area does not allow the access.
  case denied
  /// The pool is empty.
  case exhausted
}

extension AddressSpace {
  /// The page of an address, made if the area allows the access and it does not exist yet.
  func page(_ address: UInt64, for access: Protection) -> PageOutcome {
    guard let area = area(at: address) else { return .unmapped }
    let granted = area.protection.effective
    guard granted.isSuperset(of: access), !granted.isEmpty else { return .denied }
    let number = address >> PagePool.shift
    if let physical = pages[number] { return .present(physical: physical, protection: area.protection) }
    guard let physical = pool.allocate() else { return .exhausted }
    if let file = area.sharedFile {
      file.read(page: (address & ~PagePool.offsetMask) - area.start, into: physical, pool.memory)
    }
    setPage(number, physical)
    return .present(physical: physical, protection: area.protection)
  }

  /// Puts the translation of a page into the processor's TLB. Code pages defer exceptions of speculative loads as Linux's do.
  func insert(instruction: Bool, _ address: UInt64, physical: UInt64, _ protection: Protection) {
    processor.insertTranslation(
      instruction: instruction, virtual: address, physical: physical, pageShift: Int(PagePool.shift),
      accessRights: protection.accessRights, privilegeLevel: 3, ed: true)
  }
}
