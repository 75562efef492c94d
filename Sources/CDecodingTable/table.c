#include "table.h"

/* The compiler has had it for longer than the standard. */
#pragma clang diagnostic ignored "-Wc23-extensions"

const void *epicure_decoding_table(size_t *size) {
  _Alignas(8) static const unsigned char table[] = {
#embed "decoding.bin"
  };
  *size = sizeof table;
  return table;
}
