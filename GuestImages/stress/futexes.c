// Futexes by system call, between threads and between processes: a lock of three states, and wake-ups that must not be lost.
#define _GNU_SOURCE
#include "stress.h"
#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct shared {
  atomic_int lock;  // 0 free, 1 taken, 2 taken and somebody may wait
  uint64_t counter;
  atomic_int ball[64];
} *shared;

static long futex(atomic_int *word, int operation, int value, const struct timespec *limit) {
  return syscall(SYS_futex, word, operation, value, limit, NULL, 0);
}

static void acquire(void) {
  int state = 0;
  if (atomic_compare_exchange_strong(&shared->lock, &state, 1)) return;
  if (state != 2) state = atomic_exchange(&shared->lock, 2);
  while (state != 0) {
    futex(&shared->lock, FUTEX_WAIT, 2, NULL);
    state = atomic_exchange(&shared->lock, 2);
  }
}

static void release(void) {
  if (atomic_exchange(&shared->lock, 0) == 2) futex(&shared->lock, FUTEX_WAKE, 1, NULL);
}

// Two neighbours throw a ball: each waits for an odd or an even number.
static void play(int pair, int side) {
  atomic_int *ball = &shared->ball[pair];
  struct timespec long_time = {60, 0};
  for (int count = side; count < rounds * 20; count += 2) {
    int seen;
    while ((seen = atomic_load(ball)) != count)
      if (futex(ball, FUTEX_WAIT, seen, &long_time) < 0 && errno == ETIMEDOUT) return wrong("a wake-up was lost at %d", count);
    atomic_store(ball, count + 1);
    futex(ball, FUTEX_WAKE, 1, NULL);
  }
}

void futexes(void) {
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) give_up("mmap");
  pid_t children[128];
  for (int i = 0; i < 2 * workers; i++) {
    children[i] = fork();
    if (children[i] < 0) give_up("fork");
    if (children[i] == 0) {
      for (int n = 0; n < rounds * 50; n++) {
        acquire();
        shared->counter++;
        release();
      }
      play(i / 2, i % 2);
      _exit(0);
    }
  }
  for (int i = 0; i < 2 * workers; i++) {
    int status;
    if (waitpid(children[i], &status, 0) != children[i] || status != 0) wrong("worker %d: status %x", i, status);
  }
  if (shared->counter != (uint64_t)(2 * workers) * (uint64_t)rounds * 50) wrong("counter %llu", (unsigned long long)shared->counter);
  // What must come back at once.
  atomic_int word = 7;
  if (futex(&word, FUTEX_WAIT, 8, NULL) != -1 || errno != EAGAIN) wrong("waiting for another value");
  struct timespec moment = {0, 2000000};
  if (futex(&word, FUTEX_WAIT, 7, &moment) != -1 || errno != ETIMEDOUT) wrong("waiting with a limit");
}
