/* The chip's program. It goes round the slots: a slot's first instruction jumps to where the chip waits for a target to come back, until the
   processor has put a command there and changed the jump. Targets that disconnect come back by reselection, with the tag that is the second
   byte of DSA. */
#include "scsi.h"

#define MOVE_TABLE(phase) (0x18000000U | (phase) << 24)
#define MOVE_BYTES(count, phase) (0x08000000U | (phase) << 24 | (count))
#define SELECT_ATN_TABLE 0x43000000U
#define WAIT_DISCONNECT 0x48000000U
#define WAIT_RESELECT 0x50000000U
#define CLEAR_ACK 0x60000040U
#define JUMP 0x80080000U
#define JUMP_WHEN(phase) (0x800b0000U | (phase) << 24)
#define JUMP_IF(phase) (0x800a0000U | (phase) << 24)
#define JUMP_IF_BYTE(value) (0x800c0000U | (value))
#define CALL 0x88080000U
#define RETURN 0x90080000U
#define INTERRUPT 0x98080000U
#define INTERRUPT_FLY 0x98180000U
#define REGISTER_FROM_SFBR(reg) (0x6a000000U | (reg) << 16)
#define SFBR_FROM_REGISTER(reg) (0x72000000U | (reg) << 16)
#define REGISTER_AND(reg, value) (0x7c000000U | (reg) << 16 | (value) << 8)
#define REGISTER_SET(reg, value) (0x78000000U | (reg) << 16 | (value) << 8)
#define REGISTER_ADD(reg, value) (0x7e000000U | (reg) << 16 | (value) << 8)
/* At an offset from DSA. */
#define LOAD_BYTE(reg) (0xf1000001U | (reg) << 16)
#define STORE_BYTE(reg) (0xf0000001U | (reg) << 16)
#define MOVE_MEMORY 0xc0000000U
#define SCNTL2 0x02
#define DSA1 0x11
#define CTEST2 0x1a
#define SCRATCHA 0x34

static u32 *program, *end;
static u32 *jumps[SLOTS];
static u32 waits[SLOTS], goes[SLOTS];

static u32 here(void) { return physical(end); }
static u32 emit(u32 first, u32 second) {
  u32 at = here();
  *end++ = first;
  *end++ = second;
  return at;
}
static void move_memory(u32 count, u32 source, u32 destination) {
  emit(MOVE_MEMORY | count, source);
  *end++ = destination;
}
static void patch(u32 instruction, u32 target) { ((u32 *)virtual(instruction))[1] = target; }

/* The bus will be free, and nobody needs to be told. */
static void leave(void) {
  emit(REGISTER_AND(SCNTL2, 0x7f), 0);
  emit(CLEAR_ACK, 0);
  emit(WAIT_DISCONNECT, 0);
  emit(RETURN, 0);
}

/* The burst whose turn it is. */
static void move_data(u32 phase, u32 dispatch, u32 fail) {
  u32 to_burst[BURSTS];
  emit(LOAD_BYTE(SCRATCHA), __builtin_offsetof(struct command, burst));
  emit(SFBR_FROM_REGISTER(SCRATCHA), 0);
  for (u32 n = 0; n < BURSTS; n++) to_burst[n] = emit(JUMP_IF_BYTE(n), 0);
  emit(JUMP, fail);
  for (u32 n = 0; n < BURSTS; n++) {
    patch(to_burst[n], here());
    emit(MOVE_TABLE(phase), __builtin_offsetof(struct command, data) + n * sizeof(struct move));
    emit(JUMP, dispatch);
  }
}

struct entries { u32 begin, reselected; };

/* From the selection to the next free bus, whoever began it. Ends with RETURN. */
static struct entries transfer(u32 scratch) {
  struct entries entries;
  entries.begin = emit(MOVE_TABLE(PHASE_MESSAGE_OUT), __builtin_offsetof(struct command, message));
  u32 dispatch = here();
  u32 to_input = emit(JUMP_WHEN(PHASE_DATA_IN), 0);
  u32 to_output = emit(JUMP_IF(PHASE_DATA_OUT), 0);
  u32 to_command = emit(JUMP_IF(PHASE_COMMAND), 0);
  u32 to_status = emit(JUMP_IF(PHASE_STATUS), 0);
  u32 to_message = emit(JUMP_IF(PHASE_MESSAGE_IN), 0);
  u32 fail = emit(INTERRUPT, 1);

  patch(to_command, here());
  emit(MOVE_TABLE(PHASE_COMMAND), __builtin_offsetof(struct command, command));
  emit(JUMP, dispatch);
  patch(to_input, here());
  move_data(PHASE_DATA_IN, dispatch, fail);
  patch(to_output, here());
  move_data(PHASE_DATA_OUT, dispatch, fail);

  patch(to_status, here());
  emit(MOVE_TABLE(PHASE_STATUS), __builtin_offsetof(struct command, status));
  emit(MOVE_TABLE(PHASE_MESSAGE_IN), __builtin_offsetof(struct command, ended));
  emit(REGISTER_AND(SCNTL2, 0x7f), 0);
  emit(CLEAR_ACK, 0);
  emit(WAIT_DISCONNECT, 0);
  emit(INTERRUPT_FLY, 0);
  emit(RETURN, 0);

  patch(to_message, here());
  emit(MOVE_BYTES(1, PHASE_MESSAGE_IN), scratch);
  u32 to_disconnect = emit(JUMP_IF_BYTE(4), 0);
  u32 to_save = emit(JUMP_IF_BYTE(2), 0);
  u32 to_extended = emit(JUMP_IF_BYTE(1), 0);
  emit(JUMP, fail);
  patch(to_disconnect, here());
  leave();
  /* The answer to what the first command negotiates. */
  patch(to_extended, here());
  emit(CLEAR_ACK, 0);
  emit(MOVE_BYTES(7, PHASE_MESSAGE_IN), scratch);
  emit(CLEAR_ACK, 0);
  emit(JUMP, dispatch);
  /* SAVE DATA POINTERS: the target leaves in the middle of data. */
  patch(to_save, here());
  emit(LOAD_BYTE(SCRATCHA), __builtin_offsetof(struct command, burst));
  emit(REGISTER_ADD(SCRATCHA, 1), 0);
  emit(STORE_BYTE(SCRATCHA), __builtin_offsetof(struct command, burst));
  emit(CLEAR_ACK, 0);
  emit(JUMP, dispatch);

  /* IDENTIFY, SIMPLE QUEUE TAG, and the tag, which says where the command is. */
  entries.reselected = here();
  for (int n = 0; n < 3; n++) {
    emit(MOVE_BYTES(1, PHASE_MESSAGE_IN), scratch);
    if (n == 2) emit(REGISTER_FROM_SFBR(DSA1), 0);
    emit(CLEAR_ACK, 0);
  }
  emit(JUMP, dispatch);
  return entries;
}

u32 scripts_build(struct command *commands) {
  program = end = pages(1);
  /* Constants first: bytes of messages, and what the slots' jumps are set back to. */
  u32 scratch = here();
  end += 2;
  u32 waits_at = here();
  u32 *waits_table = end;
  end += SLOTS;
  struct entries entries = transfer(scratch);
  u32 start = here(), last_jump = 0;
  for (u32 slot = 0; slot < SLOTS; slot++) {
    u32 top = here();
    if (last_jump) patch(last_jump, top);
    jumps[slot] = end + 1;
    emit(JUMP, 0);
    waits[slot] = waits_table[slot] = here();
    u32 wait = emit(WAIT_RESELECT, 0);
    emit(CALL, entries.reselected);
    emit(JUMP, top);
    /* SIGP: reading CTEST2 takes it away. */
    patch(wait, emit(SFBR_FROM_REGISTER(CTEST2), 0));
    emit(JUMP, top);
    u32 collision = emit(CALL, entries.reselected);
    goes[slot] = emit(REGISTER_SET(DSA1, slot), 0);
    emit(SELECT_ATN_TABLE, collision);
    move_memory(4, waits_at + 4 * slot, physical(jumps[slot]));
    emit(CALL, entries.begin);
    last_jump = emit(JUMP, 0);
    *jumps[slot] = waits[slot];
  }
  patch(last_jump, start);
  return start;
}

void scripts_queue(u32 slot) {
  barrier();
  *(volatile u32 *)jumps[slot] = goes[slot];
  barrier();
}
