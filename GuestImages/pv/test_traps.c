/* Interruptions of the kernel's own and of a user's: vectors, and what they report. */
#include "xen.h"

static u64 user_step;
static struct { u64 vector, iim, isr; } const user_expected[] = {
  {0x2c00, 0x1000, 0}, {0x2c00, 1, 0}, {0x5400, 0, 0x10}, {0x5300, 0, 0}, {0x5300, 0, 0}, {0x2c00, 0x12345, 0},
};

void test_user_trap(struct frame *f) {
  u64 n = user_step++;
  check_equal("user: vector", f->vector, user_expected[n].vector);
  if (f->vector == 0x2c00) check_equal("user: IIM", f->iim, user_expected[n].iim);
  if (f->vector == 0x5400) check_equal("user: ISR", f->isr & 0xf0, user_expected[n].isr);
  if (f->vector == 0x5300) check_equal("user: IFA", f->ifa, n == 3 ? XSI : REGION7 + 0x4000000);
  check_equal("user: level", f->ipsr >> 32 & 3, 3);
  if (n == 5) {
    REG(u32, 0xc10) = 1;
    unmask_events();
    return_to_kernel(n);
  }
}

void test_traps(void) {
  expected_vector = 0x2c00;
  asm volatile("break 0x54321;;");
  check_equal("break: IIM", last_trap.iim, 0x54321);
  expected_vector = 0x2c00;
  asm volatile("break 0;;");
  check_equal("break 0", last_trap.iim, 0);
  expected_vector = 0x5a00;
  asm volatile("rum 8;; " ::: "memory");
  asm volatile("sum 8;; ld8 r8 = [%0];; " :: "r"((u64)start_info + 1) : "r8", "memory");
  check_equal("unaligned: IFA", last_trap.ifa, (u64)start_info + 1);
  check_equal("unaligned", expected_vector, ~0UL);
  expected_vector = 0x5600;
  asm volatile("st8 [%0] = r0;; ld8.s r8 = [%1];; chk.s r8, 1f;; 1:" :: "r"(start_info + 0x1000), "r"(0x4000000000000000UL) : "r8");
  check("speculative load of an unmapped page is deferred", expected_vector == 0x5600);
  expected_vector = ~0UL;

  /* The bank of an interrupted kernel, and its stacked registers, survive. */
  register u64 r20 asm("r20") = 0x2020;
  register u64 r31 asm("r31") = 0x3131;
  expected_vector = 0x2c00;
  asm volatile("break 0x77;;" : "+r"(r20), "+r"(r31));
  check_equal("r20", r20, 0x2020);
  check_equal("r31", r31, 0x3131);

  /* A user: one page of code and one of stack, in region 1. */
  u64 base = 0x2000000000000000;
  u64 *stack = pages(1);
  HYPER(0x11, base, 0x201 << 8 | 14 << 2);
  REG(u32, 0xc10) = 0;
  REG(u64, 0x8a0) = base;
  REG(u64, 0x8a8) = 14 << 2;
  /* Level 3, read and execute. */
  HYPER(6, physical(user_code) | 0x261 | 3 << 7, 0);
  REG(u64, 0x8a0) = base + PAGE;
  REG(u64, 0x8a8) = 14 << 2;
  HYPER(5, physical(stack) | 0x461 | 3 << 7, 0);
  REG(u32, 0xc10) = 1;
  user_step = 0;
  check_equal("user ran", run_user(base, base + 2 * PAGE - 512), 5);
}
