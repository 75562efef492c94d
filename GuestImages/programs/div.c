// Division, for which the processor has no instruction: 32, 64 and 128 bits, signed and unsigned, single and double precision.
#include "checksum.h"

enum { ROUNDS = 80000 };

struct checksum div(void) {
  struct checksum sum = {0};
  uint64_t random = 5;
  for (int round = 0; round < ROUNDS; round++) {
    uint64_t left = next_random(&random), right = next_random(&random);
    // Divisors of every size; never zero, and never the one quotient that has no representation.
    right = right >> (left & 63) | 2;
    uint64_t total = left / right ^ left % right << 1;
    int64_t small = (int64_t)right >> 1 | 2;
    total += (uint64_t)((int64_t)left / small) ^ (uint64_t)((int64_t)left % small) << 7;
    uint32_t low = (uint32_t)right | 2;
    total ^= (uint64_t)((uint32_t)left / low) << 32 | (uint32_t)left % low;
    int32_t narrow = (int32_t)(right & 0x7fffffff) | 2;
    total += (uint64_t)(int64_t)((int32_t)left / narrow) ^ (uint64_t)(int64_t)((int32_t)left % narrow) << 13;
    if (round % 8 == 0) {
      unsigned __int128 wide = (unsigned __int128)left << 64 | random;
      total ^= (uint64_t)(wide / right) + (uint64_t)(wide % right);
    }
    double quotient = (double)(int64_t)left / (double)right;
    float single = (float)(int32_t)left / (float)low;
    sum = fold(fold(sum, total), bits(quotient) ^ bits((double)single));
  }
  return sum;
}
