// A stress run for a kernel and the machine under it. Each part works with several workers at once, checks its own results, and
// counts what is wrong; nothing depends on the order in which the workers run.
#ifndef STRESS_H
#define STRESS_H

#include <stdint.h>

// Workers of each part, and how long it goes on.
extern int workers;
extern int rounds;
extern const char *directory;

// A generator for one worker: the same numbers for the same seed, part and worker (xorshift64*).
struct generator { uint64_t state; };
struct generator generator(const char *part, int worker);
uint64_t next(struct generator *g);
uint64_t below(struct generator *g, uint64_t limit);

// Says what is wrong, and counts it for the whole part, whichever process or thread says so.
void wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));
// The same for a system call that must not fail.
void failed(const char *call);
// Stops the part: going on makes no sense.
void give_up(const char *call) __attribute__((noreturn));

// Runs `work` in as many processes as there are workers, and waits for all of them.
void in_workers(void (*work)(int me));

// 64 bits that depend on every byte and its place (FNV-1a).
uint64_t checksum(const void *bytes, unsigned long count);
void fill(struct generator *g, void *bytes, unsigned long count);

void threads(void);
void futexes(void);
void pipes(void);
void processes(void);
void faults(void);
void signals(void);
void mappings(void);
void files(void);
void registers(void);

#endif
