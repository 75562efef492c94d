/* Multiply-add of doubles with one rounding, by the host's instruction. The compiler may not assume that an x86-64 host has it, and would call
 * the library, which costs ten instructions; so it is written here, and whoever uses it asks first.
 */
#ifndef EPICURE_ARITHMETIC_H
#define EPICURE_ARITHMETIC_H

#if defined(__x86_64__)
/* CPUID 1, ECX: bit 12 is FMA, bit 28 AVX, bit 27 that the system saves what XCR0 says; there bits 1 and 2 are the registers of SSE and AVX. */
__attribute__((always_inline)) static inline int epicure_has_multiply_add(void) {
  unsigned a = 1, b, c = 0, d;
  __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  if ((c & 0x18001000u) != 0x18001000u) return 0;
  __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
  return (a & 6) == 6;
}
/* x * y + z */
__attribute__((always_inline)) static inline double epicure_multiply_add(double x, double y, double z) {
  __asm__("vfmadd213sd %2, %1, %0" : "+x"(x) : "x"(y), "x"(z));
  return x;
}
/* x * y - z */
__attribute__((always_inline)) static inline double epicure_multiply_subtract(double x, double y, double z) {
  __asm__("vfmsub213sd %2, %1, %0" : "+x"(x) : "x"(y), "x"(z));
  return x;
}
/* z - x * y */
__attribute__((always_inline)) static inline double epicure_negative_multiply_add(double x, double y, double z) {
  __asm__("vfnmadd213sd %2, %1, %0" : "+x"(x) : "x"(y), "x"(z));
  return x;
}
#else
/* Any other host of ours (arm64) has the instruction, and the compiler knows. */
__attribute__((always_inline)) static inline int epicure_has_multiply_add(void) {
#if defined(__aarch64__)
  return 1;
#else
  return 0;
#endif
}
__attribute__((always_inline)) static inline double epicure_multiply_add(double x, double y, double z) { return __builtin_fma(x, y, z); }
__attribute__((always_inline)) static inline double epicure_multiply_subtract(double x, double y, double z) { return __builtin_fma(x, y, -z); }
__attribute__((always_inline)) static inline double epicure_negative_multiply_add(double x, double y, double z) { return __builtin_fma(-x, y, z); }
#endif

#endif
