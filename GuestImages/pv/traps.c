/* Interruptions that come to C. */
#include "xen.h"

volatile struct expectation last_trap;
volatile u64 expected_vector = ~0UL;

void skip(struct frame *f) {
  u64 slot = f->ipsr >> 41 & 3;
  f->ipsr &= ~(3UL << 41);
  if (slot == 2) f->iip += 16; else f->ipsr |= (slot + 1) << 41;
}

void test_user_trap(struct frame *f);

void trap(struct frame *f) {
  if (f->vector == 0xe000) {
    events_dispatch();
    return;
  }
  if (f->vector == 0x5c00 && assisted(f)) return;
  if (f->ipsr >> 32 & 3) {
    test_user_trap(f);
    skip(f);
    return;
  }
  last_trap.vector = f->vector;
  last_trap.iim = f->iim;
  last_trap.isr = f->isr;
  last_trap.ifa = f->ifa;
  last_trap.count++;
  if (f->vector == expected_vector) {
    expected_vector = ~0UL;
    skip(f);
    return;
  }
  print("PANIC vector 0x%x iip 0x%x ipsr 0x%x isr 0x%x ifa 0x%x\n", f->vector, f->iip, f->ipsr, f->isr, f->ifa);
  u32 reason = 3;
  call2(SCHED_OP, 2, &reason);
  for (;;);
}

void mask_events(void) {
  if (fully_virtual) asm volatile("rsm 0x4000;; srlz.d;;" ::: "memory");
  else *(volatile u8 *)REG(u64, 0xc18) = 1;
}

void unmask_events(void) {
  if (fully_virtual) {
    asm volatile("ssm 0x4000;; srlz.d;;" ::: "memory");
    return;
  }
  volatile u8 *mask = (volatile u8 *)REG(u64, 0xc18);
  *mask = 0;
  barrier();
  if (mask[-1]) HYPER(7, 0, 0);
}
