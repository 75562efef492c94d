/* memory_op and dom0vp_op: frames given up and populated again. */
#include "xen.h"

struct reservation { u64 extents, count; u32 order, flags; u16 domain; };

static s64 reservation(u64 command, u64 *list, u64 count, u32 order) {
  struct reservation r = {handle(list), count, order, 0, SELF};
  return call2(MEMORY_OP, command, &r);
}

void test_memory(void) {
  u64 domain = SELF;
  u64 before = call2(MEMORY_OP, 3, &domain);
  check("current_reservation", before > 1000 && before <= total_frames);
  check_equal("maximum_reservation", call2(MEMORY_OP, 4, &domain), total_frames);
  check_equal("maximum_gpfn", call2(MEMORY_OP, 14, &domain), total_frames);
  u64 *p = pages(4);
  u64 frame = physical(p) >> PAGE_SHIFT;
  p[0] = 77;
  u64 list[3] = {frame, frame + 2, frame};
  check_equal("decrease_reservation stops at what is gone", reservation(1, list, 3, 0), 2);
  check_equal("two frames fewer", call2(MEMORY_OP, 3, &domain), before - 2);
  check_equal("phystomach of one that is gone", hypercall(1, frame, 0, 0, 0, DOM0VP_OP), ~0UL);
  check_equal("populate_physmap", reservation(6, list, 2, 0), 2);
  check_equal("as many as before", call2(MEMORY_OP, 3, &domain), before);
  check_equal("a new frame is clear", p[0], 0);
  check("phystomach", (s64)hypercall(1, frame, 0, 0, 0, DOM0VP_OP) > 0);
  check_equal("populate_physmap of what is there", reservation(6, list, 1, 0), 0);
  check_equal("zap_physmap", hypercall(5, frame, 0, 0, 0, DOM0VP_OP), 0);
  check_equal("zap_physmap again", hypercall(5, frame, 0, 0, 0, DOM0VP_OP), -22);
  check_equal("zap_physmap of an order", hypercall(5, frame + 1, 1, 0, 0, DOM0VP_OP), -22);
  check_equal("populate again", reservation(6, list, 1, 0), 1);
  check_equal("add_physmap", hypercall(6, frame, 1, 0, SELF, DOM0VP_OP), -1);
  check_equal("no such dom0vp_op", hypercall(99, 0, 0, 0, 0, DOM0VP_OP), -1);
  struct { struct reservation in, out; u64 done; } exchange = {
    {handle(list), 2, 0, 0, SELF}, {handle(list), 2, 0, 0, SELF}, 0};
  check_equal("exchange", call2(MEMORY_OP, 11, &exchange), 0);
  check_equal("exchanged", exchange.done, 2);
  struct { u16 domain, size; u32 space; u64 index, frame; } add = {SELF, 0, 0, 0, frame};
  check_equal("add_to_physmap of a PV domain", call2(MEMORY_OP, 7, &add), -38);
  check_equal("machine_memory_map", call2(MEMORY_OP, 10, &add), -1);
  struct reservation other = {handle(list), 1, 0, 0, 0};
  check_equal("of another domain", call2(MEMORY_OP, 1, &other), -1);
  check_equal("no such memory_op", call2(MEMORY_OP, 33, &other), -38);
}
