// Quicksort and heapsort of the same numbers: comparisons that no predictor guesses, recursion, a comparison by pointer.
#include "checksum.h"

enum { COUNT = 30000 };

static uint64_t quick[COUNT], heap[COUNT];

typedef int comparison(uint64_t, uint64_t);

static int ascending(uint64_t left, uint64_t right) { return left < right; }
static int by_low_half(uint64_t left, uint64_t right) {
  return (uint32_t)left != (uint32_t)right ? (uint32_t)left < (uint32_t)right : left < right;
}

static void exchange(uint64_t *left, uint64_t *right) {
  uint64_t held = *left;
  *left = *right, *right = held;
}

static void quicksort(uint64_t *values, long count, comparison *before) {
  while (count > 1) {
    uint64_t pivot = values[count / 2];
    long left = 0, right = count - 1;
    while (left <= right) {
      while (before(values[left], pivot)) left++;
      while (before(pivot, values[right])) right--;
      if (left <= right) exchange(&values[left++], &values[right--]);
    }
    quicksort(values, right + 1, before);
    values += left, count -= left;
  }
}

static void sink(uint64_t *values, long root, long count) {
  for (long child; (child = 2 * root + 1) < count; root = child) {
    if (child + 1 < count && values[child] < values[child + 1]) child++;
    if (values[root] >= values[child]) return;
    exchange(&values[root], &values[child]);
  }
}

static void heapsort(uint64_t *values, long count) {
  for (long root = count / 2; root-- > 0;) sink(values, root, count);
  while (--count > 0) {
    exchange(&values[0], &values[count]);
    sink(values, 0, count);
  }
}

struct checksum sort(void) {
  static comparison *volatile const orders[] = {ascending, by_low_half};
  struct checksum sum = {0};
  uint64_t random = 3;
  for (int index = 0; index < COUNT; index++) quick[index] = heap[index] = next_random(&random);
  heapsort(heap, COUNT);
  for (int order = 0; order < 2; order++) {
    quicksort(quick, COUNT, orders[order]);
    uint64_t total = 0;
    for (int index = 0; index < COUNT; index++) total = total * 31 + (order == 0 ? quick[index] ^ heap[index] : quick[index]);
    sum = fold(sum, total);
  }
  for (int index = 0; index < COUNT; index += 97) sum = fold(sum, heap[index]);
  return sum;
}
