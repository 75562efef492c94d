// Bytes: length, comparison, search, numbers to digits and back, a cyclic redundancy check bit by bit.
#include "checksum.h"

enum { SIZE = 1 << 16, PASSES = 8 };

static char text[SIZE], copy[SIZE];

static size_t length(const char *from) {
  const char *end = from;
  while (*end) end++;
  return end - from;
}

static int compare(const char *left, const char *right) {
  while (*left && *left == *right) left++, right++;
  return (unsigned char)*left - (unsigned char)*right;
}

static const char *find(const char *in, const char *what) {
  for (; *in; in++) {
    size_t index = 0;
    while (what[index] && in[index] == what[index]) index++;
    if (!what[index]) return in;
  }
  return NULL;
}

static char *digits(char *to, uint32_t number) {
  char reversed[10];
  int count = 0;
  do reversed[count++] = '0' + number % 10;
  while (number /= 10);
  while (count > 0) *to++ = reversed[--count];
  return to;
}

static uint32_t crc(const char *from) {
  uint32_t remainder = ~0u;
  for (; *from; from++) {
    remainder ^= (unsigned char)*from;
    for (int bit = 0; bit < 8; bit++) remainder = remainder & 1 ? remainder >> 1 ^ 0xedb88320 : remainder >> 1;
  }
  return ~remainder;
}

struct checksum string(void) {
  struct checksum sum = {0};
  uint64_t random = 4;
  for (int pass = 0; pass < PASSES; pass++) {
    char *end = text;
    while (end < text + SIZE - 16) {
      end = digits(end, (uint32_t)next_random(&random) >> (next_random(&random) & 31));
      *end++ = ' ';
    }
    *end = 0;
    uint64_t total = 0, number = 0;
    for (const char *at = text; *at; at++) {
      if (*at == ' ') total += number, number = 0;
      else number = number * 10 + (*at - '0');
    }
    size_t count = length(text);
    if (count <= PASSES) return sum;
    for (size_t index = 0; index <= count; index++) copy[index] = text[index];
    copy[count - 1 - pass] ^= 1;
    sum = fold(fold(sum, total), (uint64_t)(int64_t)compare(text, copy));
    uint64_t found = 0;
    for (const char *at = text; (at = find(at, " 1")) != NULL; at++) found = found * 3 + (at - text);
    sum = fold(fold(sum, found), crc(copy));
  }
  return sum;
}
