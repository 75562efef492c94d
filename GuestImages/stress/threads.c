// Threads: mutexes, condition variables, barriers, and atomic operations of every size.
#define _GNU_SOURCE
#include "stress.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_changed = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_rwlock_t pair_lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;

static uint64_t guarded, spun, pair[2];
static int turn;
static atomic_uchar bytes;
static atomic_ushort halves;
static atomic_uint words;
static atomic_ullong doubles, chain;
static uint64_t *phase;
static int thread_count;

// Each thread adds what it can know in advance; the sums tell whether any addition was lost.
static void *work(void *argument) {
  int me = (int)(intptr_t)argument;
  struct generator g = generator("threads", me);
  for (int round = 0; round < rounds; round++) {
    for (int i = 0; i < 50; i++) {
      pthread_mutex_lock(&lock);
      guarded += 3;
      pthread_mutex_unlock(&lock);
      pthread_spin_lock(&spin);
      spun += 5;
      pthread_spin_unlock(&spin);
      atomic_fetch_add(&bytes, 1);
      atomic_fetch_add(&halves, 1);
      atomic_fetch_add(&words, 0x10001);
      atomic_fetch_add_explicit(&doubles, 0x100000001u, memory_order_relaxed);
      // fetchadd has only a few constants; everything else is a cmpxchg loop.
      unsigned long long old = atomic_load(&chain);
      while (!atomic_compare_exchange_weak(&chain, &old, old * 5 + 1)) ;
      if (below(&g, 8) == 0) {
        pthread_rwlock_wrlock(&pair_lock);
        pair[0] += 7;
        if (below(&g, 4) == 0) sched_yield();
        pair[1] -= 7;
        pthread_rwlock_unlock(&pair_lock);
      } else {
        pthread_rwlock_rdlock(&pair_lock);
        if (pair[0] + pair[1] != 0) wrong("a reader saw half a change");
        pthread_rwlock_unlock(&pair_lock);
      }
    }
    // A token goes round.
    pthread_mutex_lock(&lock);
    while (turn != me) pthread_cond_wait(&turn_changed, &lock);
    turn = (me + 1) % thread_count;
    pthread_cond_broadcast(&turn_changed);
    pthread_mutex_unlock(&lock);
    // Plain stores before a barrier are seen by all behind it.
    phase[me] = (uint64_t)round * 1000 + (uint64_t)me;
    pthread_barrier_wait(&barrier);
    for (int other = 0; other < thread_count; other++)
      if (phase[other] != (uint64_t)round * 1000 + (uint64_t)other) wrong("round %d: thread %d's store is not seen", round, other);
    pthread_barrier_wait(&barrier);
  }
  return NULL;
}

void threads(void) {
  thread_count = 2 * workers;
  phase = calloc((size_t)thread_count, sizeof *phase);
  pthread_barrier_init(&barrier, NULL, (unsigned)thread_count);
  pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
  pthread_t ids[128];
  for (int i = 0; i < thread_count; i++)
    if (pthread_create(&ids[i], NULL, work, (void *)(intptr_t)i)) give_up("pthread_create");
  for (int i = 0; i < thread_count; i++) pthread_join(ids[i], NULL);
  uint64_t times = (uint64_t)thread_count * (uint64_t)rounds * 50;
  uint64_t expected = 0;
  for (uint64_t i = 0; i < times; i++) expected = expected * 5 + 1;
  if (guarded != 3 * times) wrong("mutex: %llu of %llu", (unsigned long long)guarded / 3, (unsigned long long)times);
  if (spun != 5 * times) wrong("spin lock: %llu of %llu", (unsigned long long)spun / 5, (unsigned long long)times);
  if (bytes != (unsigned char)times) wrong("1-byte additions");
  if (halves != (unsigned short)times) wrong("2-byte additions");
  if (words != (unsigned)(times * 0x10001)) wrong("4-byte additions");
  if (doubles != times * 0x100000001u) wrong("8-byte additions");
  if (chain != expected) wrong("compare and exchange");
  // Threads that live for a moment.
  for (int round = 0; round < rounds; round++) {
    for (int i = 0; i < workers; i++)
      if (pthread_create(&ids[i], NULL, (void *(*)(void *))(uintptr_t)strdup, "x")) give_up("pthread_create");
    for (int i = 0; i < workers; i++) {
      void *result = NULL;
      pthread_join(ids[i], &result);
      if (!result || strcmp(result, "x")) wrong("a thread's result");
      free(result);
    }
  }
}
