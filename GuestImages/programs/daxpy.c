// y = a x + y with one rounding: as the compiler unrolls it, and as the architecture means it, a software pipeline with rotating
// registers. Then a dot product and a polynomial, whose operations wait for each other.
#include "checksum.h"

enum { SIZE = 2048, PASSES = 400 };

static double x[SIZE], y[SIZE];

static __attribute__((noinline)) void plain(double a, const double *from, double *to, long count) {
  for (long index = 0; index < count; index++) to[index] = __builtin_fma(a, from[index], to[index]);
}

#ifdef __ia64__

// In pipeline.s.
void pipelined(double a, const double *from, double *to, long count);

#else

#define pipelined plain

#endif

static __attribute__((noinline)) double dot(const double *left, const double *right, long count) {
  double total = 0;
  for (long index = 0; index < count; index++) total = __builtin_fma(left[index], right[index], total);
  return total;
}

static __attribute__((noinline)) double polynomial(double at, const double *coefficients, long count) {
  double value = 0;
  for (long index = 0; index < count; index++) value = value * at + coefficients[index];
  return value;
}

struct checksum daxpy(void) {
  struct checksum sum = {0};
  uint64_t random = 7;
  for (int index = 0; index < SIZE; index++) {
    x[index] = (double)(int64_t)next_random(&random) * 0x1p-64;
    y[index] = (double)(int64_t)next_random(&random) * 0x1p-62;
  }
  for (int pass = 0; pass < PASSES; pass++) {
    double a = (double)(int64_t)next_random(&random) * 0x1p-65;
    // Lengths down to one, so that prologue and epilogue overlap.
    plain(a, x, y, SIZE - pass);
    pipelined(-a * 0.75, x, y, SIZE - pass * 5);
    pipelined(a, y, x, pass % 16 + 1);
    sum = fold(fold(sum, bits(dot(x, y, 1024))), bits(polynomial(a, y, 256)));
  }
  for (int index = 0; index < SIZE; index++) sum = fold(sum, bits(y[index]));
  return sum;
}
