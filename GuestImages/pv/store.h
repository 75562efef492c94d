/* XenStore's client. Paths are relative to the domain's own if they do not begin with a slash. */
#ifndef STORE_H
#define STORE_H
#include "xen.h"

void store_begin(u64 frame, u32 port);
/* 0, or an errno-like negative number; `value` is terminated. */
s64 store_read(u32 transaction, const char *path, char *value, u64 size);
s64 store_write(u32 transaction, const char *path, const char *value);
s64 store_write_number(u32 transaction, const char *path, u64 value);
u64 store_read_number(const char *path, u64 missing);
/* Names separated and terminated by zeros; the number of bytes, or negative. */
s64 store_directory(const char *path, char *names, u64 size);
s64 store_make(u32 transaction, const char *path);
s64 store_remove(u32 transaction, const char *path);
s64 store_watch(const char *path, const char *token);
s64 store_unwatch(const char *path, const char *token);
u32 store_start(void);
/* 0, or -11: do it again. */
s64 store_end(u32 transaction, int commit);
/* Anything else; the type of the answer. */
u32 store_request(u32 type, u32 transaction, const void *payload, u64 size, char *answer, u64 *answer_size);
/* Events that have come: counted, and the last one's path. */
extern volatile u64 store_events;
extern char store_event_path[256], store_event_token[64];
/* Reads what is there without waiting. */
void store_poll(void);
/* path = base "/" name */
void join(char *path, const char *base, const char *name);
void format_number(char *text, u64 value);
#endif
