/// Goes back in a machine's history. Who can do that gives itself to ``Debugger/reverse``; ``RemoteSession`` then tells gdb that
/// `reverse-stepi` and `reverse-continue` work.
///
/// Both are called while the machine stands still, and return when it stands still again, in the past: with the registers, the memory and
/// the clock of then. They must leave the debugger's breakpoints as they are.
public protocol ReverseDebugging: AnyObject {
  /// To before the last instruction that `processor` has executed.
  func stepBack(processor: Int) -> Debugger.Stop
  /// To the last moment at which ``Debugger/breakpoints`` or ``Debugger/watches`` would have stopped the machine; with
  /// ``Debugger/Reason/beginning``, to the first that is known.
  func continueBack() -> Debugger.Stop
}
