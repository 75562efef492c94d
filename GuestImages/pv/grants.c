/* Grants: frames of this domain that others may have. */
#include "grants.h"

struct grant *grants;

s64 grant_operation(u64 command, void *argument) { return hypercall(command, handle(argument), 1, 0, 0, GRANT_TABLE_OP); }

void grants_begin(void) {
  static u64 list[1];
  struct { u16 domain; u32 frames; s16 status; u64 list; } setup = {SELF, 1, -1, handle(list)};
  check_equal("setup_table", grant_operation(2, &setup), 0);
  check_equal("its status", (u16)setup.status, 0);
  check_equal("where the table is", list[0] << PAGE_SHIFT, 0x10000104000);
  grants = virtual(list[0] << PAGE_SHIFT);
}

void grants_begin_at(void *table) { grants = table; }

u32 grant(u16 domain, const void *page, int readonly) {
  static u32 next = 100;
  u32 reference = next;
  while (grants[reference].flags) reference = reference == 2047 ? 8 : reference + 1;
  next = reference == 2047 ? 8 : reference + 1;
  grants[reference].frame = physical(page) >> PAGE_SHIFT;
  grants[reference].domain = domain;
  barrier();
  grants[reference].flags = ACCESS | (readonly ? READONLY : 0);
  return reference;
}

int ungrant(u32 reference) {
  u16 flags = grants[reference].flags;
  if (flags & (READING | WRITING)) return 0;
  return __atomic_compare_exchange_n(&grants[reference].flags, &flags, 0, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}
