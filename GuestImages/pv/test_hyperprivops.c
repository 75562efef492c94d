/* Each hyperprivop: what it returns, and what can be seen of it. */
#include "xen.h"

#define REGION3 0x6000000000000000UL
#define REGION2 0x4000000000000000UL

static void set_miss(u64 address, u64 shift) { REG(u64, 0x8a0) = address; REG(u64, 0x8a8) = shift << 2; }

void test_hyperprivops(void) {
  u64 word = 0x123456789abcdef0;
  /* 2, 3: region 0 is physical memory for a moment. */
  check_equal("RSM_DT: metaphysical load", load_metaphysical(physical(&word)), word);
  check_equal("SSM_DT: virtual again", REG(u32, 0xc48), 0);

  u64 cover[2];
  cover_test(cover);
  check_equal("COVER: the frame's marker", cover[0] & ~(0x3fUL << 32), 1UL << 63 | 6 | 4 << 7);
  check_equal("COVER and RFI: the frame is back", cover[1], 1);

  /* 10, 11, 1a: region registers. */
  u64 rr3 = HYPER(0x10, REGION3, 0);
  HYPER(0x11, REGION3, 0x333 << 8 | 14 << 2);
  check_equal("SET_RR, GET_RR", HYPER(0x10, REGION3, 0), 0x333 << 8 | 14 << 2);
  check_equal("rrs in the shared page", REG(u64, 0xc50 + 3 * 8), 0x333 << 8 | 14 << 2);

  /* 5, 13, e: a data translation, used, looked at and purged. */
  u64 *page = pages(1);
  page[5] = 0x5555;
  set_miss(REGION3 + 0x10000, 14);
  HYPER(5, physical(page) | 0x661, 0);
  check_equal("ITC_D: load", *(volatile u64 *)(REGION3 + 0x10028), 0x5555);
  *(volatile u64 *)(REGION3 + 0x10030) = 0x6666;
  check_equal("ITC_D: store", page[6], 0x6666);
  HYPER(0x13, REGION3 + 0x10000, 0);
  check("FC", 1);
  HYPER(0xe, REGION3 + 0x10000, 14 << 2);
  expected_vector = 0x1000;
  (void)*(volatile u64 *)(REGION3 + 0x10028);
  check_equal("PTC_GA: the translation is gone", expected_vector, ~0UL);
  check_equal("IFA of its miss", last_trap.ifa, REGION3 + 0x10028);
  check_equal("ISR of its miss", last_trap.isr & 0xf00000000, 1UL << 34);

  /* f: a translation register. */
  set_miss(REGION3 + 0x20000, 14);
  HYPER(0xf, 5, physical(page) | 0x661);
  HYPER(0xe, REGION3 + 0x10000, 14 << 2);
  check_equal("ITR_D", *(volatile u64 *)(REGION3 + 0x20028), 0x5555);
  asm volatile("ptr.d %0, %1;; srlz.d;;" :: "r"(REGION3 + 0x20000), "r"(14UL << 2));
  expected_vector = 0x1000;
  (void)*(volatile u64 *)(REGION3 + 0x20028);
  check_equal("ptr.d", expected_vector, ~0UL);
  set_miss(REGION3 + 0x20000, 14);
  expected_vector = 0x5400;
  HYPER(0xf, 12, physical(page) | 0x661);
  check_equal("ITR_D: no such register", last_trap.isr & 0xf0, 0x30);

  /* 6: an instruction translation: br.ret through a page of code. */
  u64 *code = pages(1);
  extern char tiny_function[];
  memory_copy(code, tiny_function, 32);
  HYPER(0x13, (u64)code, 0);
  set_miss(REGION3 + 0x30000, 14);
  HYPER(6, physical(code) | 0x661, 0);
  u64 result;
  asm volatile("mov b6 = %1;; br.call.sptk.many b0 = b6;; mov %0 = r8" : "=r"(result) : "r"(REGION3 + 0x30000)
    : "b0", "b6", "r8", "ar.pfs");
  check_equal("ITC_I", result, 7);
  HYPER(0xe, REGION3 + 0x30000, 14 << 2);

  HYPER(0x11, REGION3, rr3);

  register u64 r8 asm("r8") = 0x101 << 8 | 14 << 2;
  register u64 r9 asm("r9") = 0x102 << 8 | 14 << 2;
  register u64 r10 asm("r10") = 0x103 << 8 | 14 << 2;
  register u64 r11 asm("r11") = 0x104 << 8 | 14 << 2;
  register u64 r14 asm("r14") = 0x105 << 8 | 14 << 2;
  asm volatile("break 0x1a;;" : "+r"(r8) : "r"(r9), "r"(r10), "r"(r11), "r"(r14) : "memory");
  for (u64 region = 0; region < 5; region++)
    check_equal("SET_RR0_TO_RR4", HYPER(0x10, region << 61, 0), (0x101 + region) << 8 | 14 << 2);
  expected_vector = 0x5400;
  HYPER(0x11, REGION2, 1UL << 26 | 14 << 2);
  check_equal("SET_RR: an identifier beyond the domain's", last_trap.isr & 0xf0, 0x30);

  /* 12: kernel registers. */
  for (u64 n = 0; n < 8; n++) HYPER(0x12, n, 0x1000 + n);
  u64 k3, k7;
  asm volatile("mov %0 = ar.k3; mov %1 = ar.k7" : "=r"(k3), "=r"(k7));
  check_equal("SET_KR 3", k3, 0x1003);
  check_equal("SET_KR 7", k7, 0x1007);

  check_equal("GET_CPUID 0", HYPER(0x14, 0, 0), 0x343661692f6e6558);
  check_equal("GET_CPUID 1", HYPER(0x14, 1, 0), 0);
  check("GET_CPUID 3", (HYPER(0x14, 3, 0) & 0xff) == 4);
  HYPER(0x15, 0, 0);
  check("GET_PMD", 1);
  check_equal("GET_EFLAG", HYPER(0x16, 0, 0), 0);
  HYPER(0x17, 0, 0);
  check("SET_EFLAG", 1);
  asm volatile("sum 2;; " ::: "memory");
  u64 um;
  /* Nothing may be loaded or stored while PSR.be is set. */
  asm volatile("break 0x18;; mov %0 = psr.um" : "=r"(um));
  check_equal("RSM_BE", um & 2, 0);
  u64 psr = HYPER(0x19, 0, 0);
  check_equal("GET_PSR: ic, i, dt, rt, it", psr & 0x10080e6000 & ~0UL, 0x1008026000 & ~0UL);
  check_equal("GET_PSR: level", psr >> 32 & 3, 0);

  /* 8 to b: the local SAPIC, of which only events are left. */
  check_equal("GET_TPR", HYPER(9, 0, 0), 0);
  HYPER(0xa, 0x50, 0);
  check_equal("SET_TPR", HYPER(9, 0, 0), 0x50);
  HYPER(0xa, 0, 0);
  check_equal("GET_IVR: spurious", HYPER(8, 0, 0), 15);
  HYPER(0xb, 0, 0);
  check("EOI", 1);

  /* d: short format, in the address's own region. */
  u64 pta = 0x1ff0000000000000 | 25 << 2;
  asm volatile("mov cr.pta = %0;; srlz.d;;" :: "r"(pta));
  u64 rr7 = HYPER(0x10, REGION7, 0);
  u64 shift = rr7 >> 2 & 0x3f;
  u64 address = REGION7 + 0x4123456;
  u64 entry = (address & 0x1fffffffffffffff) >> shift << 3;
  u64 mask = (1UL << 25) - 1;
  check_equal("THASH", HYPER(0xd, address, 0), REGION7 | ((pta & 0x1fffffffffff8000 & ~mask) | (entry & mask)));
}
