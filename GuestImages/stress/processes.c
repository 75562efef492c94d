// Processes: fork and exec storms, copies of memory on write, exit statuses, trees of processes.
#define _GNU_SOURCE
#include "stress.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { area = 1 << 20 };

// A child that scribbles over its copy; the parent's must not change.
static void copy_on_write(struct generator *g, unsigned char *memory) {
  uint64_t before = checksum(memory, area);
  pid_t children[8];
  int pipes[8][2];
  for (int i = 0; i < 8; i++) {
    if (pipe(pipes[i])) give_up("pipe");
    uint64_t key = next(g);
    children[i] = fork();
    if (children[i] < 0) give_up("fork");
    if (children[i] == 0) {
      if (checksum(memory, area) != before) wrong("a child does not see its parent's memory");
      struct generator mine = {key | 1};
      for (int n = 0; n < 64; n++) memory[below(&mine, area)] ^= 0x5A;
      uint64_t sum = checksum(memory, area);
      if (write(pipes[i][1], &sum, sizeof sum) != sizeof sum) failed("write");
      _exit(0);
    }
    close(pipes[i][1]);
    // What the child must have got, from a copy that was not made by the kernel.
    if (i == 0) {
      unsigned char *model = malloc(area);
      memcpy(model, memory, area);
      struct generator mine = {key | 1};
      for (int n = 0; n < 64; n++) model[below(&mine, area)] ^= 0x5A;
      uint64_t sum = 0;
      if (read(pipes[i][0], &sum, sizeof sum) != sizeof sum || sum != checksum(model, area)) wrong("a child's own memory");
      free(model);
    }
  }
  for (int i = 0; i < 8; i++) {
    int status;
    if (waitpid(children[i], &status, 0) != children[i] || status) wrong("child %d: status %x", i, status);
    close(pipes[i][0]);
  }
  if (checksum(memory, area) != before) wrong("a child's stores reached its parent");
}

static void storm(struct generator *g) {
  enum { many = 24 };
  struct { pid_t pid; int expected; } children[many];
  for (int i = 0; i < many; i++) {
    unsigned value = (unsigned)below(g, 100000);
    int kind = (int)below(g, 3);
    children[i].expected = kind == 2 ? SIGKILL : (int)(value % 251) << 8;
    pid_t child = fork();
    if (child < 0) give_up("fork");
    if (child == 0) {
      if (kind == 0) _exit((int)(value % 251));
      if (kind == 2) {
        raise(SIGKILL);
        _exit(99);
      }
      char text[16];
      snprintf(text, sizeof text, "%u", value);
      execl("/proc/self/exe", "stress", "--child", text, (char *)NULL);
      failed("exec");
      _exit(98);
    }
    children[i].pid = child;
  }
  for (int left = many; left > 0; left--) {
    int status;
    pid_t child = wait(&status);
    if (child < 0) give_up("wait");
    for (int i = 0; i < many; i++)
      if (children[i].pid == child && status != children[i].expected) wrong("status %x, not %x", status, children[i].expected);
  }
}

// Counts the nodes of a binary tree of processes by their exit statuses.
static int tree(int depth) {
  if (depth == 0) return 1;
  int total = 1;
  pid_t children[2];
  for (int i = 0; i < 2; i++) {
    children[i] = fork();
    if (children[i] < 0) give_up("fork");
    if (children[i] == 0) _exit(tree(depth - 1));
  }
  for (int i = 0; i < 2; i++) {
    int status = 0;
    if (waitpid(children[i], &status, 0) < 0 || !WIFEXITED(status)) wrong("a node ended with %x", status);
    total += WEXITSTATUS(status);
  }
  return total;
}

static void worker(int me) {
  struct generator g = generator("processes", me);
  unsigned char *memory = mmap(NULL, area, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) give_up("mmap");
  fill(&g, memory, area);
  for (int round = 0; round < (rounds + 4) / 5; round++) {
    copy_on_write(&g, memory);
    storm(&g);
    if (tree(4) != 31) wrong("a tree of 31 processes has another number");
}
}

void processes(void) {
  in_workers(worker);
  if (wait(NULL) != -1 || errno != ECHILD) wrong("children are left");
}
