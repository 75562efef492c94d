// What the torture suite's programs call: the beginning, the end, and so much of a C library as they need. Everything is weak: some
// programs bring a memcpy or a printf of their own, and that is what they test.
#include <stddef.h>
#include <stdint.h>

#define WEAK __attribute__((weak))

enum { SYSTEM_EXIT = 1025, SYSTEM_WRITE = 1027, SYSTEM_OPEN = 1028 };

// The floating-point status is the one that Linux gives to a new process.
__asm__(".global _start\n"
        ".proc _start\n"
        "_start:\n"
        "  alloc r2 = ar.pfs, 0, 0, 3, 0\n"
        "  movl gp = __gp\n"
        "  movl r3 = 0x9804c0270033f ;;\n"
        "  mov ar.fpsr = r3\n"
        "  mov out0 = 0\n"
        "  mov out1 = 0 ;;\n"
        "  mov out2 = 0\n"
        "  br.call.sptk.many rp = main ;;\n"
        "  alloc r2 = ar.pfs, 0, 0, 1, 0 ;;\n"
        "  mov out0 = r8\n"
        "  br.call.sptk.many rp = exit\n"
        ".endp _start\n");

static long system_call(long number, long first, long second, long third) {
  register long r15 __asm__("r15") = number;
  register long r8 __asm__("r8");
  register long r10 __asm__("r10");
  register long out0 __asm__("out0") = first;
  register long out1 __asm__("out1") = second;
  register long out2 __asm__("out2") = third;
  __asm__ volatile("break 0x100000"
                   : "=r"(r8), "=r"(r10), "+r"(r15), "+r"(out0), "+r"(out1), "+r"(out2)
                   :
                   : "memory", "r2", "r3", "r9", "r11", "r14", "r16", "r17", "r18", "r19", "r20", "r21", "r22", "r23", "r24",
                     "r25", "r26", "r27", "r28", "r29", "r30", "r31", "p6", "p7", "p8", "p9", "p10", "p11", "p12", "p13", "p14",
                     "p15", "b6", "b7");
  // An error: r10 is -1, and r8 its number.
  return r10 == -1 ? -1 : r8;
}

WEAK void _exit(int status) {
  for (;;) system_call(SYSTEM_EXIT, status, 0, 0);
}

WEAK long write(int descriptor, const void *bytes, size_t count) {
  return system_call(SYSTEM_WRITE, descriptor, (long)bytes, (long)count);
}

WEAK int open(const char *path, int flags, int mode) { return (int)system_call(SYSTEM_OPEN, (long)path, flags, mode); }

WEAK void exit(int status) { _exit(status); }

// The status of a shell whose command got SIGABRT.
WEAK void abort(void) { _exit(134); }

WEAK void __assert_fail(const char *what, const char *file, unsigned line, const char *function) { abort(); }

// MARK: Memory

WEAK void *memcpy(void *to, const void *from, size_t count) {
  for (size_t index = 0; index < count; index++) ((char *)to)[index] = ((const char *)from)[index];
  return to;
}

WEAK void *memmove(void *to, const void *from, size_t count) {
  char *target = to;
  const char *source = from;
  if (target < source) {
    for (size_t index = 0; index < count; index++) target[index] = source[index];
  } else {
    while (count-- > 0) target[count] = source[count];
  }
  return to;
}

WEAK void *memset(void *to, int value, size_t count) {
  for (size_t index = 0; index < count; index++) ((char *)to)[index] = (char)value;
  return to;
}

WEAK int memcmp(const void *left, const void *right, size_t count) {
  const unsigned char *a = left, *b = right;
  for (; count > 0; a++, b++, count--) {
    if (*a != *b) return *a - *b;
  }
  return 0;
}

WEAK void *memchr(const void *in, int value, size_t count) {
  const unsigned char *at = in;
  for (; count > 0; at++, count--) {
    if (*at == (unsigned char)value) return (void *)at;
  }
  return NULL;
}

// Nothing is given back: no program runs long enough.
WEAK void *malloc(size_t size) {
  static char heap[8 << 20] __attribute__((aligned(16)));
  static size_t used;
  size = (size + 15) & ~(size_t)15;
  if (size > sizeof heap - used) return NULL;
  used += size;
  return heap + used - size;
}

WEAK void *calloc(size_t count, size_t size) { return malloc(count * size); }

WEAK void free(void *memory) {}

WEAK void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *)) {
  char *values = base;
  for (size_t done = 1; done < count; done++) {
    for (char *at = values + done * size; at > values && compare(at - size, at) > 0; at -= size) {
      for (size_t byte = 0; byte < size; byte++) {
        char held = at[byte];
        at[byte] = at[byte - size], at[byte - size] = held;
      }
    }
  }
}

// MARK: Strings

WEAK size_t strlen(const char *text) {
  size_t length = 0;
  while (text[length]) length++;
  return length;
}

WEAK char *strcpy(char *to, const char *from) {
  memcpy(to, from, strlen(from) + 1);
  return to;
}

WEAK char *strncpy(char *to, const char *from, size_t count) {
  size_t index = 0;
  for (; index < count && from[index]; index++) to[index] = from[index];
  for (; index < count; index++) to[index] = 0;
  return to;
}

WEAK int strncmp(const char *left, const char *right, size_t count) {
  for (; count > 0; left++, right++, count--) {
    if (*left != *right) return (unsigned char)*left - (unsigned char)*right;
    if (!*left) break;
  }
  return 0;
}

WEAK int strcmp(const char *left, const char *right) { return strncmp(left, right, SIZE_MAX); }

WEAK char *strchr(const char *in, int value) {
  for (;; in++) {
    if (*in == (char)value) return (char *)in;
    if (!*in) return NULL;
  }
}

WEAK char *strrchr(const char *in, int value) {
  const char *last = NULL;
  for (;; in++) {
    if (*in == (char)value) last = in;
    if (!*in) return (char *)last;
  }
}

WEAK int isprint(int character) { return character >= ' ' && character <= '~'; }
