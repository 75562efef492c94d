// Signals: queued ones with values, other stacks, nesting, ping-pong between processes, and timers that interrupt computations.
#define _GNU_SOURCE
#include "stress.h"
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int received[1024], received_count, depth, deepest;
static volatile double disturbed;
static char *stack_low, *stack_high;
static volatile int on_other_stack;

static void handle(int number, void (*handler)(int, siginfo_t *, void *), int flags, int blocked) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | flags;
  if (blocked) sigfillset(&action.sa_mask);
  if (sigaction(number, &action, NULL)) give_up("sigaction");
}

static void note(int number, siginfo_t *information, void *context) {
  (void)number, (void)context;
  if (received_count < 1024) received[received_count++] = information->si_value.sival_int;
}

static void nest(int number, siginfo_t *information, void *context) {
  (void)information, (void)context;
  depth++;
  if (depth > deepest) deepest = depth;
  if (number < SIGRTMIN + 5) raise(number + 1);
  depth--;
}

static void where(int number, siginfo_t *information, void *context) {
  (void)number, (void)information, (void)context;
  char here;
  on_other_stack = &here >= stack_low && &here < stack_high;
}

// Uses registers of every kind, as a handler that interrupts anything.
static void disturb(int number, siginfo_t *information, void *context) {
  (void)number, (void)information, (void)context;
  int saved = errno;
  double x = 1.0;
  for (int i = 1; i < 40; i++) x = x * 1.0001 + sqrt((double)i) / 3.0;
  disturbed += x;
  received_count++;
  errno = saved;
}

static double compute(struct generator g) {
  double a = 1.5, b = 2.5, c = 0.25, d = 3.0;
  uint64_t h = 1;
  for (int i = 0; i < 2000; i++) {
    a = a * 0.999 + b * 0.001;
    b = b * 0.998 + c * 0.002 + 1.0 / (d + 1.0);
    c = c * 0.997 + d * 0.003;
    d = d * 0.996 + a / 250.0;
    h = h * 6364136223846793005u + next(&g);
  }
  return a + b + c + d + (double)(h >> 40);
}

static void interrupted(int me) {
  struct generator g = generator("signals", me);
  double expected = compute(g);
  handle(SIGALRM, disturb, 0, 0);
  received_count = 0;
  struct itimerval often = {{0, 300}, {0, 300}}, never = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &often, NULL);
  int runs = 0;
  // Until enough timers have gone off; the limit is for a clock that stands still.
  while (received_count < rounds * 3 && runs < rounds * 2000) {
    if (compute(g) != expected) wrong("a computation that was interrupted has another result");
    runs++;
  }
  setitimer(ITIMER_REAL, &never, NULL);
  if (received_count < rounds * 3) wrong("%d timer signals in %d runs", received_count, runs);
}

static void queued(int me) {
  struct generator g = generator("queued", me);
  sigset_t set, old;
  sigemptyset(&set);
  for (int i = 0; i < 4; i++) sigaddset(&set, SIGRTMIN + i);
  for (int i = 0; i < 4; i++) handle(SIGRTMIN + i, note, 0, 1);
  for (int round = 0; round < rounds; round++) {
    sigprocmask(SIG_BLOCK, &set, &old);
    int expected[4][8], sent[4] = {0};
    for (int i = 0; i < 32; i++) {
      int kind = (int)below(&g, 4);
      if (sent[kind] == 8) continue;
      int value = (int)below(&g, 1 << 30);
      expected[kind][sent[kind]++] = value;
      if (sigqueue(getpid(), SIGRTMIN + kind, (union sigval){.sival_int = value})) failed("sigqueue");
    }
    received_count = 0;
    sigprocmask(SIG_SETMASK, &old, NULL);
    // The lowest number first; of one number in the order of sending.
    int n = 0;
    for (int kind = 0; kind < 4; kind++)
      for (int i = 0; i < sent[kind]; i++, n++)
        if (n >= received_count || received[n] != expected[kind][i]) return wrong("round %d: signal %d of the queue", round, n);
    if (n != received_count) wrong("%d signals, not %d", received_count, n);
  }
  for (int i = 0; i < 6; i++) handle(SIGRTMIN + i, nest, SA_NODEFER, 0);
  deepest = depth = 0;
  raise(SIGRTMIN);
  if (deepest != 6 || depth != 0) wrong("nested %d deep, not 6", deepest);
}

static void other_stack(void) {
  stack_t stack = {.ss_sp = malloc(256 * 1024), .ss_size = 256 * 1024};
  stack_low = stack.ss_sp;
  stack_high = stack_low + stack.ss_size;
  if (sigaltstack(&stack, NULL)) give_up("sigaltstack");
  handle(SIGUSR1, where, SA_ONSTACK, 0);
  on_other_stack = 0;
  raise(SIGUSR1);
  if (!on_other_stack) wrong("a handler was not on its own stack");
  handle(SIGUSR1, where, 0, 0);
  raise(SIGUSR1);
  if (on_other_stack) wrong("a handler was on the other's stack");
}

static void ping_pong(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGUSR2);
  sigprocmask(SIG_BLOCK, &set, NULL);
  pid_t parent = getpid(), child = fork();
  if (child < 0) give_up("fork");
  struct timespec limit = {60, 0};
  sigset_t mine;
  sigemptyset(&mine);
  sigaddset(&mine, child == 0 ? SIGUSR1 : SIGUSR2);
  for (int i = 0; i < rounds * 10; i++) {
    if (child != 0 && kill(child, SIGUSR1)) failed("kill");
    if (sigtimedwait(&mine, NULL, &limit) < 0) {
      failed("sigtimedwait");
      break;
    }
    if (child == 0 && kill(parent, SIGUSR2)) failed("kill");
  }
  if (child == 0) _exit(0);
  int status;
  if (waitpid(child, &status, 0) != child || status) wrong("the other player ended with %x", status);
}

static void worker(int me) {
  queued(me);
  other_stack();
  interrupted(me);
  ping_pong();
}

void signals(void) {
  in_workers(worker);
}
