/// The IA-64 instruction set: every encoding, its operation and its assembly language, each stated once.
///
/// The decoder, the disassembler and the assembler are derived from the rows. Rows of one type stand in the manual's
/// order, except that a pseudo-op the disassembler shall prefer stands before the instruction it stands for.
public enum InstructionTable {
  /// All rows; ``Instruction/row`` is an index into them.
  public static let rows: [InstructionRow] = {
    var builder = TableBuilder()
    builder.addIntegerALU()
    builder.addCompares()
    builder.addMultimedia()
    builder.addInteger()
    builder.addMemory()
    builder.addMemoryManagement()
    builder.addBranches()
    builder.addFloatingPointArithmetic()
    builder.addFloatingPointMiscellaneous()
    builder.addLongInstructions()
    return builder.build()
  }()
}
