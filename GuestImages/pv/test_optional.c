/* What a kernel may ask for and can do without: identity mappings, the table of frames, perfmon. */
#include "xen.h"

#define REGION4 0x8000000000000000UL
#define REGION5 0xA000000000000000UL
#define PROTECTION 0x661UL
/* Words of a page of the table. */
#define ENTRIES 2048UL

struct feature { u64 command; u8 on; u64 protection, key; };

static s64 feature(u64 command, u8 on, u64 key) {
  struct feature f = {command, on, PROTECTION, key};
  return hypercall(handle(&f), 0, 0, 0, 0, 0x700);
}

static void purge(u64 address) { HYPER(0xe, address, 14 << 2); }
static u64 key(u64 address) { u64 v; asm volatile("tak %0 = %1" : "=r"(v) : "r"(address)); return v >> 8; }

/* An instruction of its own, which may fault and be skipped. */
static u64 load(u64 address) { u64 v; asm volatile("ld8 %0 = [%1]" : "=r"(v) : "r"(address) : "memory"); return v; }

/* Without it, each miss in regions 4 and 5 is a fault here. */
static void identity(const char *name, u64 region, u64 command, u64 *page) {
  u64 former = HYPER(0x10, region, 0);
  u64 address = region | physical(page);
  HYPER(0x11, region, (0x700 + command) << 8 | 14 << 2);
  expected_vector = 0x1000;
  load(address);
  check_equal(name, expected_vector, ~0UL);
  check_equal(name, feature(command, 1, 0), 0);
  check_equal(name, load(address + 8), 0x1122334455667788);
  *(volatile u64 *)(address + 16) = command;
  check_equal(name, page[2], command);
  check_equal(name, feature(command, 0, 0), 0);
  purge(address);
  expected_vector = 0x1000;
  load(address);
  check_equal(name, expected_vector, ~0UL);
  HYPER(0x11, region, former);
}

static void identities(void) {
  /* Below the 64 MB from 64 MB on that the kernel has mapped for itself. */
  u64 *page = virtual(0x3800000);
  page[1] = 0x1122334455667788;
  identity("region 4", REGION4, 2, page);
  identity("region 5", REGION5, 3, page);
  /* Region 7 has a handler, which gives no key. */
  check_equal("region 7", feature(1, 1, 0x123), 0);
  purge((u64)page);
  check_equal("region 7: load", load((u64)page + 8), 0x1122334455667788);
  check_equal("region 7: its translation is the hypervisor's", key((u64)page), 0x123);
  check_equal("region 7: off", feature(1, 0, 0), 0);
  purge((u64)page);
  check_equal("region 7: load again", load((u64)page + 8), 0x1122334455667788);
  check("region 7: its translation is the guest's", key((u64)page) != 0x123);
  check_equal("no such feature", feature(4, 1, 0), -38);
  check_equal("no feature", hypercall(0, 0, 0, 0, 0, 0x700), -14);
}

static s64 expose(u64 first, u64 place, u64 size, u64 granule) { return hypercall(7, first, place, size, granule, DOM0VP_OP); }
static u64 machine(u64 frame) { return hypercall(1, frame, 0, 0, 0, DOM0VP_OP); }

static void frames(void) {
  u64 place = 0x5000000;
  volatile u64 *table = virtual(place << PAGE_SHIFT);
  u64 size = (total_frames + ENTRIES - 1) / ENTRIES * ENTRIES << PAGE_SHIFT;
  check_equal("expose_p2m without a granule", expose(0, place, size, 0), -22);
  check_equal("expose_p2m of a part", expose(0, place, size + PAGE, ENTRIES), -22);
  check_equal("expose_p2m from the middle", expose(1, place, size, ENTRIES), -22);
  check_equal("expose_p2m to the middle", expose(0, place + 1, size, ENTRIES), -22);
  check_equal("expose_p2m of nowhere", expose(1UL << 50, place, size, ENTRIES), -22);
  check_equal("expose_p2m by other granules", expose(0, place, 2 * ENTRIES * PAGE, 2 * ENTRIES), -38);
  check_equal("expose_p2m", expose(0, place, size, ENTRIES), 0);
  u64 wrong = 0;
  for (u64 frame = 0; frame < total_frames; frame += 97)
    if (!(table[frame] & 1) || (table[frame] >> PAGE_SHIFT & 0xfffffffffUL) != machine(frame)) wrong++;
  check_equal("expose_p2m: frames", wrong, 0);
  u64 *page = pages(1);
  u64 frame = physical(page) >> PAGE_SHIFT;
  check_equal("expose_p2m: zap_physmap", hypercall(5, frame, 0, 0, 0, DOM0VP_OP), 0);
  check_equal("expose_p2m: a frame that is gone", table[frame], 0);
  struct { u64 extents, count; u32 order, flags; u16 domain; } reservation = {handle(&frame), 1, 0, 0, SELF};
  check_equal("expose_p2m: populate_physmap", call2(MEMORY_OP, 6, &reservation), 1);
  check_equal("expose_p2m: a frame that is back", table[frame] >> PAGE_SHIFT & 0xfffffffffUL, machine(frame));
  expected_vector = 0x5300;
  table[0] = 0;
  check_equal("expose_p2m: only to be read", expected_vector, ~0UL);
  check_equal("expose_p2m elsewhere", expose(0, place + ENTRIES, size, ENTRIES), 0);
  table = virtual((place + ENTRIES) << PAGE_SHIFT);
  check_equal("expose_p2m elsewhere: frames", table[frame] >> PAGE_SHIFT & 0xfffffffffUL, machine(frame));
}

static void perfmon(void) {
  u32 features[10] = {~0U, ~0U};
  check_equal("perfmon: features", hypercall(8, 0xc, handle(features), 1, 0, DOM0VP_OP), 0);
  check_equal("perfmon: version", features[0], 2 << 16);
  check_equal("perfmon: reserved", features[1], 0);
  check_equal("perfmon: nowhere", hypercall(8, 0xc, 0, 1, 0, DOM0VP_OP), -14);
  check_equal("perfmon: create a context", hypercall(8, 8, handle(features), 1, 0, DOM0VP_OP), -1);
  check_equal("perfmon: start", hypercall(8, 5, 0, 0, 0, DOM0VP_OP), -1);
}

void test_optional(void) {
  identities();
  frames();
  perfmon();
}
