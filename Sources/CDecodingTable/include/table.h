/* The decoder's tables as `make decoding-table` has written them (DecodingTable.swift says what is in them). As an array of Swift they would take the
 * compiler most of a minute; built at every start they would take ten million instructions.
 */
#ifndef EPICURE_DECODING_TABLE_H
#define EPICURE_DECODING_TABLE_H

#include <stddef.h>

const void *_Nonnull epicure_decoding_table(size_t *_Nonnull size);

#endif
