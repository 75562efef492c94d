/* Atomic operations on memory that Swift knows only as raw pointers: the guest's semaphores, and flags between threads of the host.
 * Guest memory is little-endian as the host's is; sizes are 1, 2, 4 or 8, and addresses aligned to them.
 */
#ifndef EPICURE_ATOMICS_H
#define EPICURE_ATOMICS_H

#include <stdint.h>

/* All of them return the old value, zero-extended, and are full fences on the host. */

static inline uint64_t epicure_exchange(void *_Nonnull p, int size, uint64_t value) {
  switch (size) {
    case 1: return __atomic_exchange_n((uint8_t *)p, (uint8_t)value, __ATOMIC_SEQ_CST);
    case 2: return __atomic_exchange_n((uint16_t *)p, (uint16_t)value, __ATOMIC_SEQ_CST);
    case 4: return __atomic_exchange_n((uint32_t *)p, (uint32_t)value, __ATOMIC_SEQ_CST);
    default: return __atomic_exchange_n((uint64_t *)p, value, __ATOMIC_SEQ_CST);
  }
}

static inline uint64_t epicure_fetch_add(void *_Nonnull p, int size, uint64_t value) {
  switch (size) {
    case 4: return __atomic_fetch_add((uint32_t *)p, (uint32_t)value, __ATOMIC_SEQ_CST);
    default: return __atomic_fetch_add((uint64_t *)p, value, __ATOMIC_SEQ_CST);
  }
}

/* Stores `desired` if memory holds `expected`. */
#define EPICURE_COMPARE_EXCHANGE(type)                                                                              \
  {                                                                                                                 \
    type old = (type)expected;                                                                                      \
    __atomic_compare_exchange_n((type *)p, &old, (type)desired, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);             \
    return old;                                                                                                     \
  }
static inline uint64_t epicure_compare_exchange(void *_Nonnull p, int size, uint64_t expected, uint64_t desired) {
  switch (size) {
    case 1: EPICURE_COMPARE_EXCHANGE(uint8_t)
    case 2: EPICURE_COMPARE_EXCHANGE(uint16_t)
    case 4: EPICURE_COMPARE_EXCHANGE(uint32_t)
    default: EPICURE_COMPARE_EXCHANGE(uint64_t)
  }
}
#undef EPICURE_COMPARE_EXCHANGE

/* What mf asks for. */
static inline void epicure_fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

/* Flags and counters that threads of the host wait for. */
static inline uint32_t epicure_load32(const uint32_t *_Nonnull p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }
static inline void epicure_store32(uint32_t *_Nonnull p, uint32_t value) { __atomic_store_n(p, value, __ATOMIC_RELEASE); }
static inline uint32_t epicure_add32(uint32_t *_Nonnull p, uint32_t value) { return __atomic_fetch_add(p, value, __ATOMIC_ACQ_REL); }
static inline uint64_t epicure_load64(const uint64_t *_Nonnull p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }
static inline void epicure_store64(uint64_t *_Nonnull p, uint64_t value) { __atomic_store_n(p, value, __ATOMIC_RELEASE); }
static inline uint64_t epicure_add64(uint64_t *_Nonnull p, uint64_t value) { return __atomic_fetch_add(p, value, __ATOMIC_ACQ_REL); }

/* A moment of a thread that waits for another one without giving its processor away. */
static inline void epicure_relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

#endif
