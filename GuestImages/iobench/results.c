/* Latencies, and the line that a job ends with. */
#include "iobench.h"

#define LIMIT 8192
static u64 latencies[LIMIT];
static u64 count;

volatile u64 doorbells, interrupts;
static u64 doorbells_before, interrupts_before;

static u64 bells(void) { return doorbells + events_sent; }
static u64 interruptions(void) { return paravirtual ? upcalls : interrupts; }

void results_begin(void) {
  count = 0;
  doorbells_before = bells();
  interrupts_before = interruptions();
}

/* With more than there is room for, those of the beginning count. */
void results_add(u64 ticks) { if (count < LIMIT) latencies[count++] = ticks; }

static void sort(u64 *values, u64 n) {
  for (u64 gap = n / 2; gap; gap /= 2) {
    for (u64 i = gap; i < n; i++) {
      u64 value = values[i], j = i;
      for (; j >= gap && values[j - gap] > value; j -= gap) values[j] = values[j - gap];
      values[j] = value;
    }
  }
}

static u64 percentile(u64 percent) { return count ? latencies[(count - 1) * percent / 100] : 0; }

void mark_begin(void) { if (paravirtual) print(">"); else serial_mark('>'); }
void mark_end(void) { if (paravirtual) print("<"); else serial_mark('<'); }

void results_print(u64 requests, u64 bytes, u64 ticks, u64 errors) {
  u64 rung = bells() - doorbells_before, interrupted = interruptions() - interrupts_before;
  sort(latencies, count);
  print("\nIOBENCH result %d %d %d ", requests, bytes, ticks);
  print("%d %d %d %d ", percentile(50), percentile(90), percentile(99), percentile(100));
  print("%d %d %d\n", errors, rung, interrupted);
}
