/* Paravirtualized drivers of an HVM domain: the platform device, the pages that the hypervisor shares, and events as its interrupt. */
#include "iobench.h"

enum { CALLBACK_IRQ, STORE_FRAME, STORE_PORT };
struct parameter { u16 domain; u32 index; u64 value; };

static u64 get_parameter(u32 index) {
  struct parameter p = {SELF, index, 0};
  return call2(HVM_OP, 1, &p) ? 0 : p.value;
}

static s64 show(u32 space, u64 index, u64 address) {
  struct { u16 domain, size; u32 space; u64 index, frame; } add = {SELF, 0, space, index, address >> PAGE_SHIFT};
  return call2(MEMORY_OP, 7, &add);
}

/* The page at `address` where PV domains have shared_info. */
static void map_shared(u64 address) {
  asm volatile(
    "rsm 0x6000;; srlz.d;; mov cr.ifa = %0;; mov cr.itir = %1;; srlz.d;; itr.d dtr[%2] = %3;; srlz.d;; ssm 0x2000;; srlz.d;;"
    :: "r"(XSI), "r"(14UL << 2), "r"(1UL), "r"(address | 0x661) : "memory");
}

int hvm_begin(void) {
  static int begun;
  static struct pci platform;
  if (begun) return begun > 0;
  begun = -1;
  if (!pci_find(&platform, 0x5853, 0x0001)) return 0;
  u64 shared = platform.bar[1], table = shared + PAGE;
  if (show(0, 0, shared) || show(1, 0, table)) return 0;
  cpu_mask();
  map_shared(shared);
  for (u64 word = 0; word < 64; word++) SHARED(u64, 0xe00 + word * 8) = ~0UL;
  fully_virtual = 1;
  grants_begin_at(virtual(table));
  interrupt_connect(platform.input, 1, events_dispatch);
  /* Its INTA, by bus, device and function. */
  struct parameter callback = {SELF, CALLBACK_IRQ, 1UL << 56 | platform.address};
  if (call2(HVM_OP, 0, &callback)) return 0;
  cpu_unmask();
  store_begin(get_parameter(STORE_FRAME), get_parameter(STORE_PORT));
  begun = 1;
  return 1;
}
