/* The interpreter's dispatch: what Swift cannot say.
 *
 * Each micro-operation holds the address of the label behind which its body stands, so that going on to the next one is one jump. The
 * bodies are Swift functions (Operations.swift), which the compiler inlines here: these functions are `static inline`, and become part of
 * the Swift file that uses them. They have Swift's calling convention: behind C's, Swift would make thunks, in which it inlines no call.
 */
#ifndef EPICURE_THREADED_H
#define EPICURE_THREADED_H

#include <stdint.h>

/* What the loop keeps in registers. */
struct LoopRegisters {
  /* The micro-operation that runs. */
  void *_Nonnull op;
  /* Address of the first bundle of the running block. */
  uint64_t ip;
  /* Slots retired before it, less its start slot. */
  uint64_t start;
  void *_Nonnull block;
};

/* All micro-operations but the first one, `leave`, in the order of `MicroTag`. */
#define EPICURE_MICRO_OPERATIONS(X) \
  X(limit) X(resolve) X(far) X(stale) X(enter) X(skipUnless) X(skipUnlessClearing) X(end) X(endUnlinked) \
  X(illegal) X(disabledFP) X(general) X(issue) X(mov) X(movImm) X(add) X(addOne) X(sub) X(subOne) X(addImm) X(and) \
  X(andcm) X(or) X(xor) X(subImm) X(andImm) X(andcmImm) X(orImm) X(xorImm) X(shladd) X(sxt1) X(sxt2) X(sxt4) X(zxt1) \
  X(zxt2) X(zxt4) X(shl) X(shr) X(shru) X(extru) X(extr) X(depZ) X(dep) X(shrp) X(cmpEq) X(cmpLt) X(cmpLtu) X(cmpEqImm) \
  X(cmpLtImm) X(cmpLtuImm) X(cmp4Eq) X(cmp4Lt) X(cmp4Ltu) X(cmp4EqImm) X(cmp4LtImm) X(cmp4LtuImm) X(cmpParallel) \
  X(cmpParallelImm) X(tbit) X(cmpEqBr) X(cmpLtBr) X(cmpLtuBr) X(cmpEqImmBr) X(cmpLtImmBr) X(cmpLtuImmBr) X(cmp4EqBr) \
  X(cmp4LtBr) X(cmp4LtuBr) X(cmp4EqImmBr) X(cmp4LtImmBr) X(cmp4LtuImmBr) X(tbitBr) X(movFromBR) X(movToBR) \
  X(movFromARPlain) X(movToARPlain) X(movToPFS) X(alloc) X(addp4) X(addp4Imm) X(shladdp4) X(mixHigh4) X(mixLow4) \
  X(unpack1) X(unpack2) X(byteSwap) X(popcnt) X(ld1) X(ld2) X(ld4) X(ld8) X(st1) X(st2) X(st4) X(st8) X(ld1Inc) X(ld2Inc) X(ld4Inc) X(ld8Inc) \
  X(st1Inc) X(st2Inc) X(st4Inc) X(st8Inc) X(ld8Fill) X(st8Spill) X(loadSpecial) X(loadFP) X(storeFP) \
  X(ldfs) X(ldfd) X(stfs) X(stfd) X(ldfsInc) X(ldfdInc) X(stfsInc) X(stfdInc) \
  X(ldfdHost) X(stfdHost) X(ldfdHostInc) X(stfdHostInc) \
  X(ldfFill) X(stfSpill) X(ldfFillInc) X(stfSpillInc) X(setfSig) \
  X(getfSig) X(br) X(brIf) X(brCall) X(brIndirect) X(brCallIndirect) X(brRet) X(brCloop) X(brRotate) X(fma) \
  X(fmaExtended) X(fmsExtended) X(fnmaExtended) X(fmpyExtended) X(fmaDouble) X(fmsDouble) X(fnmaDouble) X(fmpyDouble) \
  X(fmaSingle) X(fnormExtended) X(fnormDouble) X(fmaExtendedRotating) X(fmsExtendedRotating) X(fnmaExtendedRotating) \
  X(fmpyExtendedRotating) X(fmaDoubleRotating) X(fmsDoubleRotating) X(fnmaDoubleRotating) X(fmpyDoubleRotating) \
  X(fmaHost) X(fmsHost) X(fnmaHost) X(fmpyHost) X(fmaHostRotating) X(fmsHostRotating) X(fnmaHostRotating) X(fmpyHostRotating) X(xma) \
  X(fcvtXF) X(fcvtFX) X(frcpa) X(divideIntegers) X(divideDoubles) X(fmergeS) X(floating)

#define EPICURE_DECLARE(name) \
  __attribute__((swiftcall)) void epicure_##name(void *_Nonnull state, struct LoopRegisters *_Nonnull registers);
EPICURE_MICRO_OPERATIONS(EPICURE_DECLARE)
#undef EPICURE_DECLARE
/* Keeps the registers before a micro-operation that is to be counted. */
__attribute__((swiftcall)) void epicure_counted(void *_Nonnull state, struct LoopRegisters *_Nonnull registers);

/* Runs from `first` on, whose body is at `start`, until `leave`, or until a micro-operation that is to be counted. With `labels` it runs
 * nothing, but writes there where the bodies are, and behind them the label of those that are to be counted. */
__attribute__((noinline)) static inline void epicure_loop(
    void *_Nonnull state, struct LoopRegisters first, const void *_Nonnull start, const void *_Nonnull *_Nullable labels) {
  if (labels) {
#define EPICURE_LABEL(name) *labels++ = &&label_##name;
    *labels++ = &&label_leave;
    EPICURE_MICRO_OPERATIONS(EPICURE_LABEL)
#undef EPICURE_LABEL
    *labels++ = &&label_counted;
    return;
  }
  struct LoopRegisters registers = first;
  goto *start;
#define EPICURE_BODY(name) \
  label_##name: \
  [[clang::always_inline]] epicure_##name(state, &registers); \
  goto **(void **)registers.op;
  EPICURE_MICRO_OPERATIONS(EPICURE_BODY)
#undef EPICURE_BODY
label_counted:
  /* A way out, not a call: with another way through the loop the compiler would move registers about in all bodies, at 1.8 host instructions
   * for each slot of the guest. */
  [[clang::always_inline]] epicure_counted(state, &registers);
  return;
label_leave:
  return;
}

/* How many there are. */
static inline int epicure_operation_count(void) {
#define EPICURE_COUNT(name) +1
  return 1 EPICURE_MICRO_OPERATIONS(EPICURE_COUNT);
#undef EPICURE_COUNT
}

/* The name of number `index`. */
static inline const char *_Nonnull epicure_operation_name(int index) {
#define EPICURE_NAME(name) #name,
  static const char *const names[] = {"leave", EPICURE_MICRO_OPERATIONS(EPICURE_NAME)};
#undef EPICURE_NAME
  return names[index];
}

#endif
