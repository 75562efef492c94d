// stress [-s SEED] [-j WORKERS] [-r ROUNDS] [-d DIRECTORY] [PART...]: runs parts one by one, then all at the same time. Status 0: all is
// well.
#define _GNU_SOURCE
#include "stress.h"
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int workers = 4;
int rounds = 20;
const char *directory = "/tmp";
static uint64_t seed = 1;
static const char *current = "?";

// Shared by all processes of the run.
static struct { atomic_int wrong; } *shared;

static const struct part { const char *name; void (*run)(void); } parts[] = {
  {"threads", threads}, {"futexes", futexes}, {"pipes", pipes}, {"processes", processes}, {"faults", faults},
  {"signals", signals}, {"mappings", mappings}, {"files", files}, {"registers", registers},
};
enum { part_count = sizeof parts / sizeof *parts };

struct generator generator(const char *part, int worker) {
  uint64_t state = seed * 0x9E3779B97F4A7C15u + checksum(part, strlen(part)) + (uint64_t)worker * 0xD1B54A32D192ED03u;
  return (struct generator){state ? state : 1};
}

uint64_t next(struct generator *g) {
  g->state ^= g->state >> 12;
  g->state ^= g->state << 25;
  g->state ^= g->state >> 27;
  return g->state * 0x2545F4914F6CDD1Du;
}

uint64_t below(struct generator *g, uint64_t limit) { return (next(g) >> 11) % limit; }

uint64_t checksum(const void *bytes, unsigned long count) {
  const unsigned char *p = bytes;
  uint64_t sum = 0xCBF29CE484222325u;
  for (unsigned long i = 0; i < count; i++) sum = (sum ^ p[i]) * 0x100000001B3u;
  return sum;
}

void fill(struct generator *g, void *bytes, unsigned long count) {
  unsigned char *p = bytes;
  for (unsigned long i = 0; i < count; i++) p[i] = (unsigned char)(next(g) >> 56);
}

void wrong(const char *format, ...) {
  char text[400];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  // The first few say enough.
  if (atomic_fetch_add(&shared->wrong, 1) < 20) fprintf(stderr, "stress: %s: %s\n", current, text);
}

void failed(const char *call) { wrong("%s: %s", call, strerror(errno)); }

void give_up(const char *call) {
  failed(call);
  _exit(3);
}

void in_workers(void (*work)(int me)) {
  for (int w = 0; w < workers; w++) {
    pid_t child = fork();
    if (child < 0) give_up("fork");
    if (child == 0) {
      work(w);
      _exit(0);
    }
  }
  for (int w = 0; w < workers; w++) {
    int status;
    if (wait(&status) < 0 || status) wrong("a worker ended with %x", status);
  }
}

// A part runs in a process of its own: it may leave anything behind but files.
static pid_t start(const struct part *part) {
  fflush(NULL);
  pid_t child = fork();
  if (child < 0) {
    failed("fork");
    return -1;
  }
  if (child == 0) {
    current = part->name;
    // Nothing here takes long; what hangs is killed, and counted.
    alarm(3600);
    part->run();
    fflush(NULL);
    _exit(0);
  }
  return child;
}

static void finish(pid_t child, const char *name) {
  int status;
  if (child < 0) return;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return failed("waitpid");
  current = name;
  if (WIFSIGNALED(status)) wrong("ended by signal %d", WTERMSIG(status));
  else if (WEXITSTATUS(status) != 0) wrong("ended with status %d", WEXITSTATUS(status));
}

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int selected(const char *name, int count, char **names) {
  for (int i = 0; i < count; i++)
    if (!strcmp(names[i], name)) return 1;
  return count == 0;
}

int main(int argc, char **argv) {
  if (argc == 3 && !strcmp(argv[1], "--child")) return (int)(strtoul(argv[2], NULL, 10) % 251);
  for (int option; (option = getopt(argc, argv, "s:j:r:d:")) != -1;) {
    switch (option) {
    case 's': seed = strtoull(optarg, NULL, 0); break;
    case 'j': workers = atoi(optarg); break;
    case 'r': rounds = atoi(optarg); break;
    case 'd': directory = optarg; break;
    default:
      fprintf(stderr, "usage: stress [-s SEED] [-j WORKERS] [-r ROUNDS] [-d DIRECTORY] [PART...]\n");
      return 2;
    }
  }
  if (workers < 1 || workers > 64 || rounds < 1) return 2;
  shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return 3;
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("stress: seed %llu, %d workers, %d rounds\n", (unsigned long long)seed, workers, rounds);
  for (int i = 0; i < part_count; i++) {
    if (!selected(parts[i].name, argc - optind, argv + optind)) continue;
    int before = shared->wrong;
    double begin = seconds();
    finish(start(&parts[i]), parts[i].name);
    printf("stress: %-10s %s %.2f s\n", parts[i].name, shared->wrong == before ? "ok" : "WRONG", seconds() - begin);
  }
  if (argc == optind) {
    int before = shared->wrong;
    double begin = seconds();
    pid_t children[part_count];
    for (int i = 0; i < part_count; i++) children[i] = start(&parts[i]);
    for (int i = 0; i < part_count; i++) finish(children[i], parts[i].name);
    printf("stress: %-10s %s %.2f s\n", "together", shared->wrong == before ? "ok" : "WRONG", seconds() - begin);
  }
  if (shared->wrong) {
    printf("STRESS FAILED: %d wrong, seed %llu\n", shared->wrong, (unsigned long long)seed);
    return 1;
  }
  printf("STRESS PASSED\n");
  return 0;
}
