// Mappings: shared and private ones of one file, moved and grown and cut, by several processes at the same time.
#define _GNU_SOURCE
#include "stress.h"
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { pages = 32 };

static void worker(int me) {
  struct generator g = generator("mappings", me);
  size_t page = (size_t)sysconf(_SC_PAGESIZE), size = page * pages;
  char path[256];
  snprintf(path, sizeof path, "%s/stress-map-%d-%d", directory, (int)getppid(), me);
  int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (file < 0 || ftruncate(file, (off_t)size)) give_up(path);
  unsigned char *model = calloc(1, size), *copy = malloc(size);
  for (int round = 0; round < rounds; round++) {
    unsigned char *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    unsigned char *own = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    if (shared == MAP_FAILED || own == MAP_FAILED) give_up("mmap");
    for (int i = 0; i < 40; i++) {
      size_t at = below(&g, size - 64), count = 1 + below(&g, 64);
      unsigned char bytes[64];
      fill(&g, bytes, count);
      memcpy(model + at, bytes, count);
      // By the mapping, or by a system call: both are the same file.
      if (below(&g, 2)) memcpy(shared + at, bytes, count);
      else if (pwrite(file, bytes, count, (off_t)at) != (ssize_t)count) failed("pwrite");
    }
    if (pread(file, copy, size, 0) != (ssize_t)size || memcmp(copy, model, size)) wrong("round %d: reading the file", round);
    if (memcmp(shared, model, size)) wrong("round %d: the shared mapping", round);
    // Stores into the private one stay there.
    size_t at = below(&g, size);
    own[at] ^= 0x11;
    if (shared[at] != model[at]) wrong("a private store is in the file");
    // A child shares it, too.
    pid_t child = fork();
    if (child < 0) give_up("fork");
    if (child == 0) {
      shared[at] = (unsigned char)(model[at] + 1);
      _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    model[at] = (unsigned char)(model[at] + 1);
    if (shared[at] != model[at]) wrong("a child's store is not seen");
    // Moved to another place, and grown.
    unsigned char *moved = mremap(shared, size, size * 2, MREMAP_MAYMOVE);
    if (moved == MAP_FAILED) give_up("mremap");
    if (memcmp(moved, model, size)) wrong("round %d: moved", round);
    if (msync(moved, size, MS_SYNC)) failed("msync");
    // A hole in the middle, filled with something new.
    size_t hole = page * (1 + below(&g, pages - 2));
    if (munmap(moved + hole, page)) failed("munmap");
    unsigned char *fresh = mmap(moved + hole, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (fresh != moved + hole || fresh[0] || fresh[page - 1]) wrong("a new page is not zero");
    if (memcmp(moved, model, hole) || memcmp(moved + hole + page, model + hole + page, size - hole - page))
      wrong("round %d: beside the hole", round);
    munmap(moved, size * 2);
    munmap(own, size);
  }
  close(file);
  unlink(path);
}

void mappings(void) {
  in_workers(worker);
}
