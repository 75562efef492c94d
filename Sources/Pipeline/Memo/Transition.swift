/// What a group did once: from a configuration, with one outcome of all that a configuration does not tell, to another configuration. It will
/// do the same again.
struct Transition {
  /// Addresses of a ``Known`` and of the group; 0: nothing is known.
  var from: UInt = 0
  var group: UInt = 0
  /// What it is known for: how the group began, with ``Outcome/open`` if there is more to come; or its whole outcome.
  var key = Outcome()
  /// The outcome that it last had, and what that led to.
  var outcome = Outcome()
  var to: Known?
  /// Cycles from the clock before to the group's issue, and what they were charged to but for one.
  var wait: UInt32 = 0
  var charges = InlineArray<3, Charge>(repeating: Charge())
  /// Cycles from there to the clock behind it, if its branch was mispredicted and that is known.
  var after: UInt16 = 0
  /// By how many cycles fetching is behind when the group issues.
  var fetchLag: UInt16 = 0
  /// From the issue of the last group that leads it to its own.
  var lastWait: UInt16 = 0

  struct Charge {
    var cycles: UInt16 = 0
    var cause: UInt8 = 0
  }

  /// What it is known for besides the group.
  var configuration: Known? { Known(bitPattern: from) }
  @inline(__always) var before: Outcome { Outcome(bits: key.bits & ~Outcome.open) }

  @inline(__always) func isFor(_ known: Known, _ g: UnsafePointer<IssueGroup>, _ k: Outcome) -> Bool {
    from == UInt(bitPattern: known) && group == UInt(bitPattern: g) && key == k
  }
}

/// Cycles of a unit: before its first group, of the last group before its own, of its issue; and how far fetching is behind then.
struct Times {
  var before: UInt64
  var last: UInt64
  var issued: UInt64
  var fetchLag: UInt64
}

typealias KnownTransition = UnsafeMutablePointer<Transition>

/// What else it depends on how a group issues and what it leaves behind.
struct Outcome: Equatable {
  var bits: UInt32 = 0

  /// Known before the group issues: the values of its predicates (bits 7:0), whether the branches of the last group were mispredicted, and how long
  /// multimedia operands take (bits 12:9).
  static let mispredictedBefore: UInt32 = 1 << 8
  static let multimediaShift: UInt32 = 9
  static let mostPredicates = 8
  static let mostMultimediaWait = 15
  /// How references went, two bits for each: as most do; as most do that go on to the next level; the same, but behind a conflict; otherwise.
  static let referenceShift: UInt32 = 16
  static let mostReferences = 4
  /// Where fetching goes on: ``Redirection``, and whether that has turned out wrong already.
  static let redirectionShift: UInt32 = 24
  static let mispredicted: UInt32 = 1 << 28
  /// Stands for everything that comes out after the group has issued.
  static let open: UInt32 = 1 << 31

  @inline(__always) func has(_ bit: UInt32) -> Bool { bits & bit != 0 }
  @inline(__always) var redirection: Redirection { Redirection(rawValue: UInt8(bits &>> Self.redirectionShift & 7)) ?? .none }

  /// Any reference went some other way.
  @inline(__always) var hasOddReference: Bool { bits & bits &>> 1 & (0x55 &<< Self.referenceShift) != 0 }
}

/// What the branches of a group make of fetching.
enum Redirection: UInt8 {
  case none, taken, recomputed, returns, indirect
}
