// One long cycle of pointers through eight megabytes: loads that wait for each other.
#include "checksum.h"

enum { NODES = 1 << 18, LAPS = 20 };

struct node {
  struct node *next;
  uint64_t number, unused[2];
};

static struct node nodes[NODES];
static uint32_t order[NODES];

struct checksum chase(void) {
  uint64_t random = 2;
  for (uint32_t index = 0; index < NODES; index++) order[index] = index;
  // Sattolo's shuffle gives a permutation that is a single cycle.
  for (uint32_t index = NODES - 1; index > 0; index--) {
    // By multiplication: a remainder would make this a program about division.
    uint32_t other = (uint32_t)((next_random(&random) >> 32) * index >> 32);
    uint32_t held = order[index];
    order[index] = order[other], order[other] = held;
  }
  for (uint32_t index = 0; index < NODES; index++) {
    nodes[index].number = index;
    nodes[index].next = &nodes[order[index]];
  }
  struct checksum sum = {0};
  const struct node *node = nodes;
  for (int lap = 0; lap < LAPS; lap++) {
    // Not a whole lap: each begins elsewhere.
    uint64_t total = 0;
    for (uint32_t step = 1; step < NODES; step++) {
      node = node->next;
      total += node->number ^ step;
    }
    sum = fold(fold(sum, total), node->number);
  }
  return sum;
}
