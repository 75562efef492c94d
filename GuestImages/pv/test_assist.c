/* Floating-point software assistance: limit cases of frcpa and frsqrta, which the kernel hands to its firmware as Linux does. */
#include "xen.h"

struct state { u64 low, high; void *low_preserved, *low_volatile, *high_preserved, *high_volatile; };
struct result { s64 status; u64 error[3]; };
typedef struct result (*assist)(u64 fault, void *bundle, u64 *ipsr, u64 *fpsr, u64 *isr, u64 *predicates, u64 *ifs, struct state *state);
struct interface { u32 revision, reserved; assist function; };

#define EXPONENT(n) (0xffff + (n))

static struct interface *interface;
static volatile u64 assists;
static volatile s64 status;

static u64 read_fpsr(void) { u64 v; asm volatile("mov %0 = ar.fpsr" : "=r"(v)); return v; }

int assisted(struct frame *f) {
  if (!interface) return 0;
  u64 fpsr = read_fpsr();
  struct state state = {0xfc0, 0, 0, f->f, 0, 0};
  struct result result = interface->function(1, (void *)f->iip, &f->ipsr, &fpsr, &f->isr, &f->pr, &f->ifs, &state);
  status = result.status;
  assists++;
  asm volatile("mov ar.fpsr = %0;;" :: "r"(fpsr));
  skip(f);
  return 1;
}

/* What the handler says of a call by hand. */
static s64 by_hand(u64 fault, u64 mask, void *saved) {
  u64 bundle[2] = {0x308000010000000d, 0x0004000000008c1c};
  u64 ipsr = 1UL << 41, fpsr = read_fpsr(), isr = 8, predicates = 0, ifs = 1UL << 63;
  struct state state = {mask, 0, 0, saved, 0, 0};
  return interface->function(fault, bundle, &ipsr, &fpsr, &isr, &predicates, &ifs, &state).status;
}

void test_assist(void) {
  u32 revision = 0;
  check_equal("fpswa_revision", hypercall(10, handle(&revision), 0, 0, 0, DOM0VP_OP), 0);
  check("an interface", boot->fpswa != 0);
  if (!boot->fpswa) return;
  struct interface *found = virtual(boot->fpswa);
  check_equal("its revision", found->revision, revision);
  /* SetVirtualAddressMap has been called. */
  check_equal("its function", (u64)found->function, REGION7 + 0x900);
  check_equal("where that is", *(u64 *)found->function, REGION7 + 0x910);
  interface = found;

  /* 2^-65471 / 2^-49088: the dividend has so small an exponent that the iteration would lose bits. The quotient is the largest power of two
     among the denormals of 15 exponent bits. The registers are in memory, as f6 to f11 are. */
  u64 significand, exponent, predicate = 5;
  asm volatile("setf.exp f6 = %3; setf.exp f7 = %4; cmp.eq p6, p0 = r0, r0;; frcpa.s0 f8, p6 = f6, f7;; (p6) mov %2 = 1; (p6) nop.m 0\n"
    "getf.sig %0 = f8; getf.exp %1 = f8;;" : "=r"(significand), "=r"(exponent), "+r"(predicate)
    : "r"((u64)EXPONENT(-65471)), "r"((u64)EXPONENT(-49088)) : "f6", "f7", "f8", "p6");
  check_equal("frcpa: assisted", assists, 1);
  check_equal("frcpa: status", status, 0);
  check_equal("frcpa: significand", significand, 1UL << 62);
  check_equal("frcpa: exponent", exponent, 0);
  check_equal("frcpa: no iteration", predicate, 5);

  /* The root of 2^-65472, with 17 exponent bits, in the processor's registers. */
  asm volatile("setf.exp f33 = %3; cmp.eq p7, p0 = r0, r0;; frsqrta.s1 f40, p7 = f33;; (p7) mov %2 = 1\n"
    "getf.sig %0 = f40; getf.exp %1 = f40;;" : "=r"(significand), "=r"(exponent), "+r"(predicate)
    : "r"((u64)EXPONENT(-65472)) : "f33", "f40", "p7");
  check_equal("frsqrta: assisted", assists, 2);
  check_equal("frsqrta: significand", significand, 1UL << 63);
  check_equal("frsqrta: exponent", exponent, EXPONENT(-32736));
  check_equal("frsqrta: no iteration", predicate, 5);

  u64 *saved = pages(1);
  check_equal("a trap is the program's", by_hand(0, 0xfc0, saved), 2);
  check_equal("f6 to f11 must be in memory", by_hand(1, 0xf80, saved), -1);
  check_equal("and there must be some", by_hand(1, 0xfc0, 0), -1);
  check_equal("they must not cross a page", by_hand(1, 0xfc0, (u8 *)saved + PAGE - 16), -1);
  interface = 0;
}
