// The beginning and the end of a program: runs the function PROGRAM, prints its checksum as 32 letters, exits with 0.
// Linux/ia64 without a C library; on the host, which computes what is expected, an ordinary program.
#include "checksum.h"

static void letters(struct checksum sum, char text[32]) {
  for (int digit = 0; digit < 16; digit++) {
    text[digit] = 'a' + (sum.high >> (60 - 4 * digit) & 15);
    text[16 + digit] = 'a' + (sum.low >> (60 - 4 * digit) & 15);
  }
}

#ifdef __ia64__

// The kernel has loaded nothing but IP, SP and the register stack. The floating-point status is the one that it gives to new
// processes: a kernel of another mind, or none, must not change the results.
__asm__(".global _start\n"
        ".proc _start\n"
        "_start:\n"
        "  alloc r2 = ar.pfs, 0, 0, 0, 0\n"
        "  movl gp = __gp\n"
        "  movl r3 = 0x9804c0270033f ;;\n"
        "  mov ar.fpsr = r3 ;;\n"
        "  br.call.sptk.many rp = program\n"
        ".endp _start\n");

static void system_call(long number, long first, long second, long third) {
  register long r15 __asm__("r15") = number;
  register long out0 __asm__("out0") = first;
  register long out1 __asm__("out1") = second;
  register long out2 __asm__("out2") = third;
  __asm__ volatile("break 0x100000"
                   : "+r"(r15), "+r"(out0), "+r"(out1), "+r"(out2)
                   :
                   : "memory", "r2", "r3", "r8", "r9", "r10", "r11", "r14", "r16", "r17", "r18", "r19", "r20", "r21", "r22", "r23",
                     "r24", "r25", "r26", "r27", "r28", "r29", "r30", "r31", "p6", "p7", "p8", "p9", "p10", "p11", "p12", "p13",
                     "p14", "p15", "b6", "b7");
}

enum { SYSTEM_EXIT = 1025, SYSTEM_WRITE = 1027 };

__attribute__((used, noreturn)) void program(void) {
  char text[32];
  letters(PROGRAM(), text);
  system_call(SYSTEM_WRITE, 1, (long)text, sizeof text);
  for (;;) system_call(SYSTEM_EXIT, 0, 0, 0);
}

// The compiler calls these on its own.
void *memcpy(void *to, const void *from, size_t count) {
  for (size_t index = 0; index < count; index++) ((char *)to)[index] = ((const char *)from)[index];
  return to;
}

void *memset(void *to, int value, size_t count) {
  for (size_t index = 0; index < count; index++) ((char *)to)[index] = (char)value;
  return to;
}

#else

#include <stdio.h>

int main(void) {
  char text[32];
  letters(PROGRAM(), text);
  printf("%.32s\n", text);
  return 0;
}

#endif
