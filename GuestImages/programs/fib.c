// Calls: Fibonacci's numbers, Ackermann's function, and a recursion whose frames overflow the register stack many times over.
#include "checksum.h"

static __attribute__((noinline)) uint64_t fibonacci(uint64_t n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

static __attribute__((noinline)) uint64_t ackermann(uint64_t m, uint64_t n) {
  if (m == 0) return n + 1;
  return ackermann(m - 1, n == 0 ? 1 : ackermann(m, n - 1));
}

// Everything stays alive across the call, so that every frame holds a dozen registers.
static __attribute__((noinline)) uint64_t deep(uint64_t depth, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e) {
  if (depth == 0) return a ^ b ^ c ^ d ^ e;
  uint64_t f = a + depth, g = b ^ f, h = c * 3 + g, i = d - h, j = e ^ i << 3, k = f + j;
  uint64_t inner = deep(depth - 1, f, g, h, i, j);
  return (inner + a * 3 + b * 5 + c * 7 + d * 11 + e * 13) ^ (f + g * 2) ^ (h - i) ^ (j + k);
}

struct checksum fib(void) {
  struct checksum sum = {0};
  sum = fold(sum, fibonacci(29));
  sum = fold(sum, ackermann(2, 100));
  sum = fold(sum, ackermann(3, 5));
  for (uint64_t round = 1; round <= 16; round++) sum = fold(sum, deep(50 * round, round, 2, 3, 4, 5));
  return sum;
}
