/* Jobs in words. */
#include "iobench.h"

char *next_word(const char **words) {
  static char buffers[8][64];
  static u32 next;
  char *word = buffers[next++ % 8];
  u64 n = 0;
  if (!**words) return 0;
  while (**words && **words != ':' && n < 63) word[n++] = *(*words)++;
  if (**words == ':') (*words)++;
  word[n] = 0;
  return word;
}

int same(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}
