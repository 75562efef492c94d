/* This domain's grant table (xen/include/public/grant_table.h), as its tests and its front ends see it. */
#ifndef GRANTS_H
#define GRANTS_H
#include "xen.h"

struct grant { volatile u16 flags, domain; volatile u32 frame; };
#define ACCESS 1
#define TRANSFER 2
#define READONLY 4
#define READING 8
#define WRITING 16

extern struct grant *grants;
s64 grant_operation(u64 command, void *argument);
#endif
