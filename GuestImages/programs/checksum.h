// What the programs share: a running checksum, and the order of their numbers. The same C runs on the host; nothing here, and
// nothing in the programs, may depend on the machine.
#ifndef CHECKSUM_H
#define CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

struct checksum {
  uint64_t low, high;
};

static inline struct checksum fold(struct checksum sum, uint64_t value) {
  sum.low = (sum.low ^ value) * 0x9e3779b97f4a7c15;
  sum.low ^= sum.low >> 29;
  sum.high = ((sum.high << 23 | sum.high >> 41) + sum.low) * 0xd6e8feb86659fd93;
  return sum;
}

static inline uint64_t bits(double value) {
  union {
    double value;
    uint64_t bits;
  } both = {value};
  return both.bits;
}

// Marsaglia's xorshift: numbers without a pattern that the programs care about.
static inline uint64_t next_random(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

// A program is one function of its file's name.
struct checksum sha(void), sieve(void), chase(void), sort(void), string(void), div(void), fib(void), matmul(void), daxpy(void),
    mix(void);

#endif
