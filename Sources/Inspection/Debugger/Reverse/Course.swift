import Processor

/// Where a process that has been forked at a checkpoint is to run.
enum Course: Codable, Equatable {
  /// To a place of one processor, or, with `count`, so many single steps behind the point where the steps begin. They begin a little
  /// before the place.
  case steps(processor: Int, to: ExecutionPlace, count: Int?)
  /// Through all stops before the machine's progress is `bound`, or, with `number`, to that one of them; the first is number 1.
  case stops(bound: UInt64, number: Int?)
  /// Nowhere: the checkpoint is the beginning of what is known.
  case beginning
}

/// What a checkpoint is told.
enum CheckpointOrder: Codable {
  /// To fork a scout, which runs `course` and says how many steps or stops there were; it answers on the line that comes with the order.
  case scout(Errand)
  /// To go on in the place of the process that says so. The front end's descriptor comes with it.
  case goOn(Errand, frontEnd: [UInt8])
  case end
}

struct Errand: Codable {
  var course: Course
  var breakpoints: Set<UInt64>
  var watches: Set<DebugControl.Watch>
}
