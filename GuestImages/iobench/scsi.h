/* SCRIPTS for the LSI53C895A (technical manual, chapter 5), written at run time: scripts.c; what a command needs: scsi.c. */
#ifndef SCSI_H
#define SCSI_H
#include "iobench.h"

/* Commands in flight. The tag is the slot's number. */
#define SLOTS 32
#define BURST 0x10000U
#define BURSTS 16
/* What SCRIPTS find at DSA, and 256 bytes of it for each slot: the high bytes of DSA are the same for all, the second one is the tag. */
struct move { u32 count, address; };
struct command {
  u32 select;
  struct move message, command, status, ended;
  /* A target disconnects after so many bytes; `burst` is the one that comes next. */
  struct move data[BURSTS];
  u8 burst, pad[3], message_bytes[16], command_bytes[16], status_byte, ended_byte;
} __attribute__((aligned(256)));

enum { PHASE_DATA_OUT, PHASE_DATA_IN, PHASE_COMMAND, PHASE_STATUS, PHASE_MESSAGE_OUT = 6, PHASE_MESSAGE_IN };

/* Builds the program for commands at `commands`; returns its start. */
u32 scripts_build(struct command *commands);
/* The command in this slot is there to be done. Slots are used in turns. */
void scripts_queue(u32 slot);
#endif
