// Product of matrices in double precision, each multiplication and addition rounded by itself.
#include "checksum.h"

enum { SIZE = 96, PASSES = 3 };

static double left[SIZE][SIZE], right[SIZE][SIZE], product[SIZE][SIZE];

struct checksum matmul(void) {
  struct checksum sum = {0};
  uint64_t random = 6;
  for (int row = 0; row < SIZE; row++) {
    for (int column = 0; column < SIZE; column++) {
      left[row][column] = (double)(int64_t)next_random(&random) * 0x1p-63;
      right[row][column] = (double)(int64_t)next_random(&random) * 0x1p-60;
    }
  }
  for (int pass = 0; pass < PASSES; pass++) {
    for (int row = 0; row < SIZE; row++) {
      for (int column = 0; column < SIZE; column++) {
        double total = 0;
        for (int index = 0; index < SIZE; index++) total += left[row][index] * right[index][column];
        product[row][column] = total;
      }
    }
    for (int row = 0; row < SIZE; row++) {
      for (int column = 0; column < SIZE; column++) {
        sum = fold(sum, bits(product[row][column]));
        left[row][column] = product[row][column] * 0x1p-4;
      }
    }
  }
  return sum;
}
