// Registers across everything that may take the processor away: deep call chains (the register stack), floating point, and
// several threads on few processors.
#define _GNU_SOURCE
#include "stress.h"
#include <math.h>
#include <pthread.h>
#include <sched.h>

// Many live values per frame, so that frames leave the physical registers and come back.
static uint64_t __attribute__((noinline)) chain(uint64_t a, uint64_t b, uint64_t c, uint64_t d, int depth) {
  uint64_t e = a * 3 + b, f = b * 5 + c, g = c * 7 + d, h = d * 11 + a;
  if (depth == 0) return e ^ f ^ g ^ h;
  if ((depth & 63) == 0) sched_yield();
  uint64_t deeper = chain(e, f, g, h, depth - 1);
  return deeper + (a ^ e) + (b ^ f) * 3 + (c ^ g) * 5 + (d ^ h) * 7;
}

// The same without recursion, from its definition.
static uint64_t chain_model(uint64_t a, uint64_t b, uint64_t c, uint64_t d, int depth) {
  static __thread uint64_t frames[512][4];
  int count = 0;
  for (; count <= depth; count++) {
    uint64_t *f = frames[count];
    f[0] = a, f[1] = b, f[2] = c, f[3] = d;
    a = f[0] * 3 + f[1], b = f[1] * 5 + f[2], c = f[2] * 7 + f[3], d = f[3] * 11 + f[0];
  }
  uint64_t result = a ^ b ^ c ^ d;
  for (int i = depth - 1; i >= 0; i--) {
    uint64_t *f = frames[i], *g = frames[i + 1];
    result += (f[0] ^ g[0]) + (f[1] ^ g[1]) * 3 + (f[2] ^ g[2]) * 5 + (f[3] ^ g[3]) * 7;
  }
  return result;
}

static void *work(void *argument) {
  int me = (int)(intptr_t)argument;
  struct generator g = generator("registers", me);
  for (int round = 0; round < rounds * 4; round++) {
    uint64_t a = next(&g), b = next(&g), c = next(&g), d = next(&g);
    int depth = (int)below(&g, 500);
    if (chain(a, b, c, d, depth) != chain_model(a, b, c, d, depth)) wrong("thread %d: a chain of %d calls", me, depth);
    // Sixteen sums at the same time, all exact in double precision.
    double sums[16] = {0};
    for (int i = 1; i <= 400; i++) {
      for (int k = 0; k < 16; k++) sums[k] += (double)(i * (k + 1));
      if (i % 100 == 0) sched_yield();
    }
    for (int k = 0; k < 16; k++)
      if (sums[k] != 80200.0 * (k + 1)) wrong("thread %d: sum %d is %.17g", me, k, sums[k]);
    double root = sqrt((double)(a >> 12)), q = (double)(b >> 12) / (double)((c >> 40) + 1);
    sched_yield();
    if (root != sqrt((double)(a >> 12)) || q != (double)(b >> 12) / (double)((c >> 40) + 1)) wrong("thread %d: division or root", me);
  }
  return NULL;
}

void registers(void) {
  pthread_t ids[128];
  int count = 2 * workers;
  for (int i = 0; i < count; i++)
    if (pthread_create(&ids[i], NULL, work, (void *)(intptr_t)i)) give_up("pthread_create");
  for (int i = 0; i < count; i++) pthread_join(ids[i], NULL);
}
