/* XenStore: what the host has written for this domain, and every request that a guest may make. */
#include "store.h"

static char text[512];

void test_store(void) {
  store_begin(*(u64 *)(start_info + 0x38), *(u32 *)(start_info + 0x40));
  check_equal("read domid", store_read(0, "domid", text, sizeof text), 0);
  check("a number", number(text) > 0);
  char home[64];
  u64 n = sizeof home - 1;
  memory_set(home, 0, sizeof home);
  check_equal("GET_DOMAIN_PATH", store_request(10, 0, text, length(text) + 1, home, &n), 10);
  check("its form", starts(home, "/local/domain/"));
  char path[128];
  join(path, home, "name");
  check_equal("an absolute path", store_read(0, path, text, sizeof text), 0);
  char relative[64];
  check_equal("the same by a relative one", store_read(0, "name", relative, sizeof relative), 0);
  check_equal("equal", compare(text, relative, length(text) + 1), 0);
  check_equal("memory/target", store_read_number("memory/target", 0), total_frames * 16);
  check_equal("no such node", store_read(0, "nothing", text, sizeof text), -2);
  check_equal("an illegal path", store_read(0, "a//b", text, sizeof text), -22);

  check_equal("write", store_write(0, "data/test/one", "1"), 0);
  check_equal("read", store_read(0, "data/test/one", text, sizeof text), 0);
  check_equal("what was written", compare(text, "1", 2), 0);
  check_equal("mkdir", store_make(0, "data/test/two"), 0);
  check_equal("mkdir again", store_make(0, "data/test/two"), 0);
  check_equal("directory", store_directory("data/test", text, sizeof text), 8);
  check_equal("its names", compare(text, "one\0two", 8), 0);
  check_equal("a write outside", store_write(0, "/vm/x", "1"), -13);
  check_equal("a write to domain 0", store_write(0, "/local/domain/0/x", "1"), -13);

  store_poll();
  u64 before = store_events;
  check_equal("watch", store_watch("data/test", "token"), 0);
  store_poll();
  check_equal("it fires at once", store_events, before + 1);
  check_equal("its path", compare(store_event_path, "data/test", 10), 0);
  check_equal("its token", compare(store_event_token, "token", 6), 0);
  check_equal("the same watch again", store_watch("data/test", "token"), -17);
  store_write(0, "data/test/one", "2");
  store_poll();
  check_equal("a write below fires", store_events, before + 2);
  check_equal("the written path", compare(store_event_path, "data/test/one", 14), 0);

  u32 t = store_start();
  check("transaction", t != 0);
  store_write(t, "data/test/one", "3");
  store_read(0, "data/test/one", text, sizeof text);
  check_equal("not seen outside", compare(text, "2", 2), 0);
  store_read(t, "data/test/one", text, sizeof text);
  check_equal("seen inside", compare(text, "3", 2), 0);
  store_poll();
  check_equal("no event yet", store_events, before + 2);
  check_equal("commit", store_end(t, 1), 0);
  store_poll();
  check_equal("an event at the commit", store_events, before + 3);
  t = store_start();
  store_read(t, "data/test/one", text, sizeof text);
  store_write(t, "data/test/one", "4");
  store_write(0, "data/test/one", "5");
  check_equal("a conflict", store_end(t, 1), -11);
  t = store_start();
  store_write(t, "data/test/one", "6");
  check_equal("abort", store_end(t, 0), 0);
  store_read(0, "data/test/one", text, sizeof text);
  check_equal("nothing has happened", compare(text, "5", 2), 0);
  check_equal("no such transaction", store_write(12345, "data/test/one", "1"), -2);

  check_equal("unwatch", store_unwatch("data/test", "token"), 0);
  check_equal("unwatch again", store_unwatch("data/test", "token"), -2);
  n = sizeof text - 1;
  check_equal("GET_PERMS", store_request(3, 0, "data/test", 10, text, &n), 3);
  check_equal("SET_PERMS", store_request(14, 0, "data/test\0" "b0", 13, text, (n = 64, &n)), 16);
  check_equal("RELEASE is not for guests", store_request(9, 0, "1", 2, text, (n = 64, &n)), 16);
  check_equal("no such request", store_request(99, 0, "", 1, text, (n = 64, &n)), 16);
  check_equal("rm", store_remove(0, "data/test"), 0);
  check_equal("it is gone with all below", store_read(0, "data/test/one", text, sizeof text), -2);
  check_equal("rm again", store_remove(0, "data/test"), 0);
}
