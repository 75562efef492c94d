/* Privileged instructions that were not replaced: they trap, and happen all the same. */
#include "xen.h"

#define READ(register) ({ u64 v; asm volatile("mov %0 = " register ";;" : "=r"(v)); v; })
#define WRITE(register, value) asm volatile("mov " register " = %0;; srlz.d;;" :: "r"(value) : "memory")

void test_privileged(void) {
  check_equal("mov from cr.lid", READ("cr.lid"), 0);
  u64 dcr = READ("cr.dcr");
  WRITE("cr.dcr", 0x7f01UL);
  check_equal("cr.dcr", READ("cr.dcr"), 0x7f01);
  check_equal("dcr in the shared page", REG(u64, 0x800), 0x7f01);
  WRITE("cr.dcr", dcr);
  check_equal("cr.iva", READ("cr.iva"), (u64)ivt);
  WRITE("cr.itv", 1UL << 16 | 0xef);
  check_equal("cr.itv", READ("cr.itv"), 1 << 16 | 0xef);
  check_equal("itv in the shared page", REG(u64, 0xa40), 1 << 16 | 0xef);
  u64 value = 0x123;
  check_equal("tpa", ({ u64 v; asm volatile("tpa %0 = %1;;" : "=r"(v) : "r"(&value)); v; }), physical(&value));
  /* A data translation for this stack has been used, so that tak finds one. */
  check_equal("tak", ({ u64 v; asm volatile("tak %0 = %1;;" : "=r"(v) : "r"(&value)); v; }), 0);
  u64 psr = READ("psr");
  check_equal("mov from psr: ic, dt, rt", psr & (1UL << 13 | 1UL << 17 | 1UL << 27), 1UL << 13 | 1UL << 17 | 1UL << 27);
  asm volatile("rsm psr.i;; " ::: "memory");
  check_equal("rsm psr.i masks events", *(volatile u8 *)REG(u64, 0xc18), 1);
  asm volatile("ssm psr.i;; srlz.d;;" ::: "memory");
  check_equal("ssm psr.i unmasks events", *(volatile u8 *)REG(u64, 0xc18), 0);
  asm volatile("rsm psr.ic;; srlz.d;;" ::: "memory");
  u64 ic = REG(u32, 0xc10);
  /* Legal only with PSR.ic = 0. */
  u64 ifa;
  asm volatile("mov cr.ifa = %1;; srlz.d;; mov %0 = cr.ifa;;" : "=r"(ifa) : "r"(0x77UL));
  asm volatile("ssm psr.ic;; srlz.d;;" ::: "memory");
  check_equal("rsm psr.ic", ic, 0);
  check_equal("ssm psr.ic", REG(u32, 0xc10), 1);
  check_equal("cr.ifa with PSR.ic = 0", ifa, 0x77);
  expected_vector = 0x5400;
  READ("cr.ifa");
  check_equal("cr.ifa with PSR.ic = 1: Illegal Operation", last_trap.isr & 0xffff, 0);
  check_equal("and nothing else", expected_vector, ~0UL);
  WRITE("pkr[r0]", 0x12300UL);
  check_equal("pkr", READ("pkr[r0]"), 0x12300);
  WRITE("ibr[r0]", 0x4000UL);
  check_equal("ibr", READ("ibr[r0]"), 0x4000);
  WRITE("dbr[r0]", 0x8000UL);
  check_equal("dbr", READ("dbr[r0]"), 0x8000);
  u64 address = 0x4000000000000000;
  asm volatile("mov rr[%0] = %1;; srlz.d;;" :: "r"(address), "r"(0x777UL << 8 | 14 << 2));
  check_equal("rr", HYPER(0x10, address, 0), 0x777 << 8 | 14 << 2);
  check_equal("mov from rr", ({ u64 v; asm volatile("mov %0 = rr[%1];;" : "=r"(v) : "r"(address)); v; }), 0x777 << 8 | 14 << 2);
  asm volatile("ptc.e %0;; srlz.d;;" :: "r"(0UL));
  asm volatile("ptc.l %0, %1;; srlz.d;;" :: "r"(address), "r"(14UL << 2));
  asm volatile("ptc.ga %0, %1;; srlz.d;;" :: "r"(address), "r"(14UL << 2));
  check("ptc.e, ptc.l, ptc.ga", 1);
  expected_vector = 0x5400;
  WRITE("cr.tpr", 0x300UL);
  check_equal("reserved field", last_trap.isr & 0xf0, 0x30);
  WRITE("cr.eoi", 0UL);
  check_equal("cr.ivr", READ("cr.ivr"), 15);
}
