/* grant_table_op: the domain grants to itself what a back end would get from it. */
#include "grants.h"

static u16 own;

/* Of this domain: what a loop of two ports says. */
static u16 own_number(void) {
  struct { u16 domain, remote; u32 port; } unbound = {SELF, SELF, 0};
  call2(EVENT_CHANNEL_OP, 6, &unbound);
  struct { u16 domain; u32 port, status, vcpu; u16 remote, pad; u32 more; } status = {SELF, unbound.port};
  call2(EVENT_CHANNEL_OP, 5, &status);
  call2(EVENT_CHANNEL_OP, 3, &unbound.port);
  return status.remote;
}

struct map { u64 address; u32 flags, reference; u16 domain; s16 status; u32 handle; u64 bus; };
static s64 map(struct map *m, u64 address, u32 flags, u32 reference) {
  *m = (struct map){address, flags, reference, own, 99, 0, 0};
  check_equal("map_grant_ref", grant_operation(0, m), 0);
  return m->status;
}
static s64 unmap(u64 address, u32 handle) {
  struct { u64 address, bus; u32 handle; s16 status; } u = {address, 0, handle, 99};
  check_equal("unmap_grant_ref", grant_operation(1, &u), 0);
  return u.status;
}

struct copy { u64 source; u16 source_domain, source_offset; u64 destination; u16 destination_domain, destination_offset; u32 pad;
  u16 length, flags; s16 status; };
static s64 copy(u64 s, u16 so, u64 d, u16 d_o, u16 length, u16 flags) {
  struct copy c = {s, flags & 1 ? own : SELF, so, d, flags & 2 ? own : SELF, d_o, 0, length, flags, 99};
  check_equal("copy", grant_operation(5, &c), 0);
  return c.status;
}

void test_grants(void) {
  grants_begin();
  own = own_number();
  check("the domain's number", own != 0 && own < SELF);
  struct { u16 domain; u32 frames, maximum; s16 status; } size = {SELF, 0, 0, 99};
  check_equal("query_size", grant_operation(6, &size), 0);
  check_equal("one frame", size.frames, 1);
  check_equal("of 32", size.maximum, 32);

  u8 *p = pages(1), *hole = pages(1), *other = pages(1);
  memory_set(p, 0x5a, PAGE);
  u32 r = grant(own, p, 0), ro = grant(own, p, 1);
  struct map m, n;
  check_equal("map", map(&m, physical(hole), 2, r), 0);
  check_equal("its bytes", hole[100], 0x5a);
  check_equal("in use", grants[r].flags, ACCESS | READING | WRITING);
  check_equal("revocation in use", ungrant(r), 0);
  hole[200] = 0x77;
  check_equal("the same page", p[200], 0x77);
  check_equal("unmap with a wrong handle", unmap(physical(hole), m.handle + 1000), -4);
  check_equal("unmap", unmap(physical(hole), m.handle), 0);
  check_equal("no longer in use", grants[r].flags, ACCESS);
  check_equal("unmap again", unmap(physical(hole), m.handle), -4);
  check_equal("map for reading", map(&m, physical(hole), 2 | 4, ro), 0);
  check_equal("reading", grants[ro].flags, ACCESS | READONLY | READING);
  check_equal("its bytes", hole[200], 0x77);
  expected_vector = 0x5300;
  *(volatile u8 *)hole = 1;
  check_equal("a write through it", expected_vector, ~0UL);
  check("has not happened", p[0] == 0x5a);
  check_equal("map of what is only for reading", map(&n, physical(other), 2, ro), -1);
  check_equal("unmap", unmap(physical(hole), m.handle), 0);
  check_equal("no such reference", map(&n, physical(other), 2, 9999999), -3);
  check_equal("an invalid entry", map(&n, physical(other), 2, 2000) != 0, 1);
  check_equal("flags that ia64 does not have", map(&n, physical(other), 1, r), -1);
  check_equal("no flags", map(&n, physical(other), 0, r), -3);
  n = (struct map){physical(other), 2, r, 500, 99, 0, 0};
  grant_operation(0, &n);
  check_equal("no such domain", (u16)n.status, (u16)-2);
  grants[r].domain = own + 1;
  check_equal("a grant for somebody else", map(&n, physical(other), 2, r) < 0, 1);
  grants[r].domain = own;

  memory_set(other, 0, PAGE);
  check_equal("copy from a grant", copy(r, 16, physical(other) >> PAGE_SHIFT, 32, 64, 1), 0);
  check("what it copied", other[31] == 0 && other[32] == 0x5a && other[95] == 0x5a && other[96] == 0);
  check_equal("copy to a grant", copy(physical(other) >> PAGE_SHIFT, 0, r, 0, 16, 2), 0);
  check_equal("copied", p[0], 0);
  check_equal("copy to one that is for reading", copy(physical(other) >> PAGE_SHIFT, 0, ro, 0, 16, 2) < 0, 1);
  check_equal("copy across a page's end", copy(r, PAGE - 8, physical(other) >> PAGE_SHIFT, 0, 16, 1), -10);

  /* The page of a mapping that is undone is replaced by another one. */
  check_equal("map", map(&m, physical(hole), 2, r), 0);
  u8 *replacement = pages(1);
  replacement[7] = 0x99;
  struct { u64 address, replacement; u32 handle; s16 status; } replace = {physical(hole), physical(replacement), m.handle, 99};
  check_equal("unmap_and_replace", grant_operation(7, &replace), 0);
  check_equal("its status", (u16)replace.status, 0);
  check_equal("the other page is there", hole[7], 0x99);

  /* A page that changes hands. */
  u8 *gift = pages(1), *place = pages(1);
  gift[3] = 0x42;
  u64 frame = physical(place) >> PAGE_SHIFT;
  struct { u64 extents, count; u32 order, flags; u16 domain; } decrease = {handle(&frame), 1, 0, 0, SELF};
  check_equal("a place for it", call2(MEMORY_OP, 1, &decrease), 1);
  u32 t = 50;
  grants[t].frame = frame;
  grants[t].domain = own;
  barrier();
  grants[t].flags = TRANSFER;
  struct { u64 frame; u16 domain; u32 reference; s16 status; } transfer = {physical(gift) >> PAGE_SHIFT, own, t, 99};
  check_equal("transfer", grant_operation(4, &transfer), 0);
  check_equal("its status", (u16)transfer.status, 0);
  check_equal("completed", grants[t].flags & 12, 12);
  check_equal("the page is there", place[3], 0x42);
  check_equal("transfer of what is gone", (grant_operation(4, &transfer), transfer.status < 0), 1);
  grants[t].flags = 0;
  check_equal("revoke", ungrant(r) && ungrant(ro), 1);
  check_equal("no such grant_table_op", grant_operation(77, &m), -38);
}
