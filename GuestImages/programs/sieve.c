// The sieve of Eratosthenes: stores with a stride, and counting what they left.
#include "checksum.h"

enum { LIMIT = 1 << 20, PASSES = 2 };

static unsigned char composite[LIMIT];

struct checksum sieve(void) {
  struct checksum sum = {0};
  for (int pass = 0; pass < PASSES; pass++) {
    for (int number = 0; number < LIMIT; number++) composite[number] = 0;
    for (int factor = 2; factor * factor < LIMIT; factor++) {
      if (composite[factor]) continue;
      for (int multiple = factor * factor; multiple < LIMIT - pass; multiple += factor) composite[multiple] = 1;
    }
    uint64_t count = 0, total = 0;
    for (int number = 2; number < LIMIT - pass; number++) {
      if (!composite[number]) count++, total += number;
    }
    sum = fold(fold(sum, count), total);
  }
  return sum;
}
