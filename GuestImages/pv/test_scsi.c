/* The SCSI host's front end, and what it finds: one disk. */
#include "xenbus.h"

static struct scsi host;
static struct scsi_command last;

static s32 perform(u16 target, u8 act, const u8 *command, u8 length, u8 direction, u8 *buffer, u64 size) {
  last = (struct scsi_command){.target = target, .act = act, .length = length, .direction = direction, .buffer = buffer, .size = size};
  memory_copy(last.command, command, length);
  return scsi_do(&host, &last);
}

void test_scsi(void) {
  if (!scsi_begin(&host)) return;
  char text[32], path[128];
  join(path, host.device.backend, "vscsi-devs/dev-0/v-dev");
  check_equal("scsi: v-dev", store_read(0, path, text, sizeof text), 0);
  check_equal("scsi: the first unit", compare(text, "0:0:0:0", 8), 0);
  u8 *buffer = pages(26), *back = pages(26);
  static const u8 test_unit_ready[6] = {0}, inquiry[6] = {0x12, 0, 0, 0, 36, 0}, capacity[10] = {0x25};
  static const u8 report_luns[12] = {0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 64};
  /* What a unit has to say first: that it was switched on. */
  s32 first = perform(0, SCSI_COMMAND, test_unit_ready, 6, NO_DATA, 0, 0);
  check("scsi: unit attention or ready", first == 0 || (first == 0x08000002 && last.sense_length >= 18 && (last.sense[2] & 15) == 6));
  check_equal("scsi: ready", perform(0, SCSI_COMMAND, test_unit_ready, 6, NO_DATA, 0, 0), 0);
  check_equal("scsi: INQUIRY", perform(0, SCSI_COMMAND, inquiry, 6, FROM_DEVICE, buffer, 36), 0);
  check_equal("scsi: a disk", buffer[0] & 0x1f, 0);
  check_equal("scsi: READ CAPACITY", perform(0, SCSI_COMMAND, capacity, 10, FROM_DEVICE, buffer, 8), 0);
  u64 blocks = ((u64)buffer[0] << 24 | buffer[1] << 16 | buffer[2] << 8 | buffer[3]) + 1;
  check("scsi: blocks", blocks > 2048);
  check_equal("scsi: their size", buffer[6], 2);
  check_equal("scsi: REPORT LUNS", perform(0, SCSI_COMMAND, report_luns, 12, FROM_DEVICE, buffer, 64), 0);
  check_equal("scsi: one unit", buffer[3], 8);
  for (u64 n = 0; n < 26 * PAGE; n++) buffer[n] = n * 7 + n / 512;
  u32 count = 26 * PAGE / 512;
  u8 transfer[10] = {0x2a, 0, 0, 0, 0, 100, 0, count >> 8, count};
  check_equal("scsi: WRITE(10) of 26 pages", perform(0, SCSI_COMMAND, transfer, 10, TO_DEVICE, buffer, 26 * PAGE), 0);
  transfer[0] = 0x28;
  check_equal("scsi: READ(10)", perform(0, SCSI_COMMAND, transfer, 10, FROM_DEVICE, back, 26 * PAGE), 0);
  check_equal("scsi: what was written", compare(buffer, back, 26 * PAGE), 0);
  transfer[2] = 0x7f;
  check_equal("scsi: beyond the end: check condition", perform(0, SCSI_COMMAND, transfer, 10, FROM_DEVICE, back, 26 * PAGE), 0x08000002);
  check_equal("scsi: illegal request", last.sense[2] & 15, 5);
  check_equal("scsi: no such unit", perform(5, SCSI_COMMAND, test_unit_ready, 6, NO_DATA, 0, 0), 0x00010000);
  check("scsi: reset", perform(0, SCSI_RESET, test_unit_ready, 6, NO_DATA, 0, 0) == 0x2002);
  scsi_end(&host);
}
