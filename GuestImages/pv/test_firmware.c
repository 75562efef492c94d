/* PAL, SAL and EFI through their stubs. */
#include "xen.h"

static u64 efi_function(u64 n) { return *(u64 *)virtual(*(u64 *)virtual(0x2078 + 24 + n * 8)); }

/* Stubs lie in physical memory, where region 7 finds them. */
static struct firmware_call firmware(u64 stub, u64 a, u64 b, u64 c, u64 d) {
  struct firmware_call call = {(u64)virtual(stub), {a, b, c, d}, {0}};
  call_firmware(&call);
  return call;
}

static struct firmware_call pal(u64 index, u64 a, u64 b, u64 c) {
  struct firmware_call call = {(u64)virtual(0x800), {index, a, b, c}, {0}};
  if (index & 0x100) call_firmware(&call); else call_pal_static(&call);
  return call;
}

void test_firmware(void) {
  u16 time[8] = {0};
  check_equal("EFI GetTime", firmware(efi_function(0), (u64)time, 0, 0, 0).results[0], 0);
  check("a year of this century", time[0] >= 2000 && time[0] < 2100);
  check_equal("EFI GetVariable", firmware(efi_function(6), 0, 0, 0, 0).results[0], 1UL << 63 | 3);
  struct firmware_call c = pal(8, 0, 0, 0);
  check_equal("PAL_VM_SUMMARY", c.results[0], 0);
  check_equal("walker, bits, keys", c.results[1] & 0xffff, 1 | 44 << 1 | 16 << 8);
  check_equal("translation registers", c.results[1] >> 32 & 0xffff, 0x0b0b);
  check_equal("address and identifier bits", c.results[2] & 0xffff, 50 | 18 << 8);
  c = pal(6, 0, 0, 0);
  check_equal("PAL_PTCE_INFO", c.results[0] | c.results[1], 0);
  check_equal("one purge", c.results[2], 1UL << 32 | 1);
  check_equal("PAL_FIXED_ADDR", pal(12, 0, 0, 0).results[1], 0);
  check_equal("PAL_PLATFORM_ADDR", pal(16, 0, 0, 0).results[0], ~0UL);
  check_equal("PAL_FREQ_RATIOS", pal(14, 0, 0, 0).results[0], 0);
  check_equal("PAL_HALT_INFO, stacked", pal(257, 0, 0, 0).results[0], ~0UL);
  check_equal("SAL_FREQ_BASE", firmware(0x820, 0x1000012, 0, 0, 0).results[0], 0);
  check("a platform clock", firmware(0x820, 0x1000012, 0, 0, 0).results[1] > 1000000);
  check_equal("SAL_GET_STATE_INFO", firmware(0x820, 0x1000001, 0, 0, 0).results[0], -5);
  check_equal("no such SAL function", firmware(0x820, 0x1000099, 0, 0, 0).results[0], ~0UL);
  /* Only the piece with the stubs. */
  u64 map[5] = {13, 0, REGION7, 1, 1UL << 63 | 8};
  check_equal("EFI SetVirtualAddressMap", firmware(efi_function(4), 40, 40, 1, (u64)map).results[0], 0);
  check_equal("functions have moved", efi_function(0), REGION7 + 0x100);
  check_equal("SetVirtualAddressMap once only", firmware(0x140, 40, 40, 1, (u64)map).results[0], 1UL << 63 | 3);
  check_equal("GetTime by its new address", firmware(efi_function(0), (u64)time, 0, 0, 0).results[0], 0);
}
