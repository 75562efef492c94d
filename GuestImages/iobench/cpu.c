/* Interrupts of a processor, or a PV domain's events. */
#include "iobench.h"

#define FIRST_VECTOR 0x40
#define SAPIC 0xfec00000UL
static void (*handlers[32])(void);
static u32 handler_count;

void cpu_mask(void) {
  if (paravirtual) mask_events(); else asm volatile("rsm 0x4000;; srlz.d;;" ::: "memory");
}
void cpu_unmask(void) {
  if (paravirtual) unmask_events(); else asm volatile("ssm 0x4000;; srlz.d;;" ::: "memory");
}
void cpu_wait(void) {
  if (paravirtual) {
    /* Unmasks. */
    hypercall(1, 0, 0, 0, 0, SCHED_OP);
  } else {
    machine_halt();
    cpu_unmask();
  }
}

static void sapic_write(u32 index, u32 value) {
  volatile u8 *registers = uncached(SAPIC);
  *(volatile u32 *)registers = index;
  *(volatile u32 *)(registers + 0x10) = value;
}

void interrupt_connect(u32 input, int level, void (*handler)(void)) {
  u64 lid;
  u32 vector = FIRST_VECTOR + handler_count;
  handlers[handler_count++] = handler;
  asm volatile("mov %0 = cr.lid" : "=r"(lid));
  sapic_write(0x11 + 2 * input, lid & 0xffff0000);
  /* PCI's pins: level, active low. */
  sapic_write(0x10 + 2 * input, vector | (level ? 1 << 15 | 1 << 13 : 0));
}

/* Only called on a machine: a PV domain has `trap` for that. */
void native_trap(struct frame *f) {
  if (f->vector != 0x3000) {
    print("PANIC vector 0x%x iip 0x%x ipsr 0x%x isr 0x%x ifa 0x%x\n", f->vector, f->iip, f->ipsr, f->isr, f->ifa);
    machine_off(1);
  }
  interrupts++;
  /* One at a time: what else is pending interrupts again. To ask whether there is more would be an exit of a guest's for nothing. */
  u64 vector;
  asm volatile("mov %0 = cr.ivr;;" : "=r"(vector) :: "memory");
  if (vector == 15) return;
  if (vector >= FIRST_VECTOR && vector < FIRST_VECTOR + handler_count) handlers[vector - FIRST_VECTOR]();
  asm volatile("mov cr.eoi = r0;; srlz.d;;" ::: "memory");
  *(volatile u32 *)((u8 *)uncached(SAPIC) + 0x40) = vector;
}
