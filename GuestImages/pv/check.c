/* The count of checks, and what C needs. */
#include "xen.h"

u64 passed, failed;

void check(const char *name, int ok) {
  if (ok) { passed++; return; }
  failed++;
  print("FAIL %s\n", name);
}

void check_equal(const char *name, u64 got, u64 want) {
  if (got == want) { passed++; return; }
  failed++;
  print("FAIL %s: 0x%x instead of 0x%x\n", name, got, want);
}

void *memory_set(void *p, int c, u64 n) {
  u8 *b = p;
  u64 word = (u8)c * 0x0101010101010101UL;
  if (!((u64)b & 7)) {
    for (; n >= 8; n -= 8, b += 8) *(u64 *)b = word;
  }
  while (n--) *b++ = c;
  return p;
}
void *memory_copy(void *d, const void *s, u64 n) {
  u8 *a = d;
  const u8 *b = s;
  if (!(((u64)a | (u64)b) & 7)) {
    for (; n >= 8; n -= 8, a += 8, b += 8) *(u64 *)a = *(const u64 *)b;
  }
  while (n--) *a++ = *b++;
  return d;
}
/* The compiler calls them. */
void *memset(void *p, int c, u64 n) { return memory_set(p, c, n); }
void *memcpy(void *d, const void *s, u64 n) { return memory_copy(d, s, n); }
int compare(const void *a, const void *b, u64 n) {
  const u8 *x = a, *y = b;
  for (; n; n--, x++, y++) if (*x != *y) return *x - *y;
  return 0;
}
u64 length(const char *s) { u64 n = 0; while (s[n]) n++; return n; }
int starts(const char *s, const char *prefix) { return compare(s, prefix, length(prefix)) == 0; }
u64 number(const char *s) { u64 n = 0; while (*s >= '0' && *s <= '9') n = n * 10 + *s++ - '0'; return n; }

extern char __end[];
static u64 next_page;
void *pages(u64 count) {
  if (!next_page) next_page = (physical(__end) + PAGE - 1) & ~(PAGE - 1);
  void *p = virtual(next_page);
  next_page += count * PAGE;
  return memory_set(p, 0, count * PAGE);
}
