// Page faults that the program sees: protection changed under its feet, addresses that are not there, files that are too short.
#define _GNU_SOURCE
#include "stress.h"
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static long page;
static sigjmp_buf back;
static unsigned char *mapped;
static volatile int count, last_code;
static volatile uintptr_t last_address;

// Makes the page accessible again and lets the instruction start over.
static void repair(int number, siginfo_t *information, void *context) {
  (void)number, (void)context;
  count++;
  last_address = (uintptr_t)information->si_addr;
  last_code = information->si_code;
  mprotect((void *)(last_address & ~(uintptr_t)(page - 1)), (size_t)page, PROT_READ | PROT_WRITE);
}

static void escape(int number, siginfo_t *information, void *context) {
  (void)context;
  last_address = (uintptr_t)information->si_addr;
  last_code = information->si_code;
  siglongjmp(back, number);
}

static void handle(int number, void (*handler)(int, siginfo_t *, void *)) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO;
  if (sigaction(number, &action, NULL)) give_up("sigaction");
}

static void worker(int me) {
  enum { pages = 64 };
  struct generator g = generator("faults", me);
  size_t size = (size_t)page * pages;
  mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) give_up("mmap");
  unsigned char *model = calloc(1, size);
  for (int round = 0; round < rounds; round++) {
    handle(SIGSEGV, repair);
    // Read-only, or not there at all: each page's first store faults once, and does its work.
    int rights = round % 2 ? PROT_READ : PROT_NONE;
    if (mprotect(mapped, size, rights)) give_up("mprotect");
    count = 0;
    unsigned char touched[pages] = {0};
    int expected = 0;
    for (int i = 0; i < 100; i++) {
      size_t at = below(&g, size / 8) * 8;
      uint64_t value = next(&g);
      expected += !touched[at / (size_t)page];
      touched[at / (size_t)page] = 1;
      *(volatile uint64_t *)(mapped + at) = value;
      memcpy(model + at, &value, 8);
      if (count == expected && expected > 0 && last_code != SEGV_ACCERR && last_code != SEGV_MAPERR) wrong("si_code %d", last_code);
    }
    if (count != expected) wrong("round %d: %d faults, not %d", round, count, expected);
    if (mprotect(mapped, size, PROT_READ | PROT_WRITE)) give_up("mprotect");
    if (memcmp(mapped, model, size)) wrong("round %d: memory is not what was stored", round);
    // Nothing there: the handler leaves by a jump.
    handle(SIGSEGV, escape);
    unsigned char *hole = mmap(NULL, (size_t)page * 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(hole, (size_t)page * 2);
    size_t offset = below(&g, (uint64_t)page);
    int signal_number = sigsetjmp(back, 1);
    if (signal_number == 0) {
      last_address = 0;
      (void)*(volatile unsigned char *)(hole + offset);
      wrong("a hole can be read");
    } else if (signal_number != SIGSEGV || last_address != (uintptr_t)(hole + offset) || last_code != SEGV_MAPERR) {
      wrong("hole at %p: signal %d at %p code %d", (void *)(hole + offset), signal_number, (void *)last_address, last_code);
    }
    // Beyond the end of a file.
    handle(SIGBUS, escape);
    int file = memfd_create("short", 0);
    if (file < 0 || ftruncate(file, page)) give_up("memfd_create");
    unsigned char *two = mmap(NULL, (size_t)page * 2, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (two == MAP_FAILED) give_up("mmap");
    two[page - 1] = 1;
    signal_number = sigsetjmp(back, 1);
    if (signal_number == 0) {
      two[page] = 1;
      wrong("memory behind a file's end can be written");
    } else if (signal_number != SIGBUS || last_address != (uintptr_t)(two + page)) {
      wrong("behind the end: signal %d at %p", signal_number, (void *)last_address);
    }
    munmap(two, (size_t)page * 2);
    close(file);
    // Given back, and zero when it returns.
    if (madvise(mapped + page, (size_t)page * 4, MADV_DONTNEED)) failed("madvise");
    memset(model + page, 0, (size_t)page * 4);
    if (memcmp(mapped, model, size)) wrong("round %d: pages given back are not zero", round);
  }
}

void faults(void) {
  page = sysconf(_SC_PAGESIZE);
  in_workers(worker);
}
