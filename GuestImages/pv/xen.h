/* Xen/ia64's interface as this guest uses it, and what its parts offer each other. Numbers: xen/include/public. */
#ifndef XEN_H
#define XEN_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef short s16;
typedef int s32;
typedef long s64;

#define PAGE 0x4000UL
#define PAGE_SHIFT 14
#define REGION7 0xE000000000000000UL
#define XSI 0xfffffffffff00000UL
#define REGISTERS (XSI + 0x4000)
#define SELF 0x7FF0

static inline void *virtual(u64 physical) { return (void *)(physical | REGION7); }
static inline u64 physical(const void *p) { return (u64)p & ~REGION7; }
/* xencomm: contiguous memory by its physical address. */
static inline u64 handle(const void *p) { return p ? physical(p) | 1UL << 63 : 0; }

#define SHARED(type, offset) (*(volatile type *)(XSI + (offset)))
#define REG(type, offset) (*(volatile type *)(REGISTERS + (offset)))

/* start.S */
u64 hypercall(u64 a0, u64 a1, u64 a2, u64 a3, u64 a4, u64 number);
struct firmware_call { u64 entry, arguments[4], results[4]; };
void call_firmware(struct firmware_call *);
void call_pal_static(struct firmware_call *);
u64 load_metaphysical(u64 physical);
void cover_test(u64 results[2]);
u64 run_user(u64 ip, u64 sp);
void return_to_kernel(u64 value) __attribute__((noreturn));
extern char user_code[], event_entry[], start_second[], ivt[];

/* Hypercalls. */
#define MEMORY_OP 12
#define MULTICALL 13
#define XEN_VERSION 17
#define CONSOLE_IO 18
#define GRANT_TABLE_OP 20
#define VCPU_OP 24
#define SCHED_OP 29
#define CALLBACK_OP 30
#define EVENT_CHANNEL_OP 32
#define PHYSDEV_OP 33
#define HVM_OP 34
#define DOMCTL 36
#define DOM0VP_OP 48
#define FAST_EOI 49

static inline s64 call2(u64 number, u64 command, const void *argument) {
  return hypercall(command, handle(argument), 0, 0, 0, number);
}

/* Hyperprivops: r8 in and out, r9 in. */
#define HYPER(n, a, b) ({ \
  register u64 r8 asm("r8") = (a); \
  register u64 r9 asm("r9") = (b); \
  asm volatile("break " #n ";;" : "+r"(r8) : "r"(r9) : "memory"); \
  r8; })

#define barrier() asm volatile("mf" ::: "memory")
static inline u64 itc(void) { u64 v; asm volatile("mov %0 = ar.itc" : "=r"(v)); return v; }

/* What an interruption has saved: offsets.inc has the same. */
struct frame {
  u64 iip, ipsr, ifs, isr, ifa, iim, vector, pr, gp, r2, r3, r8, r9, r10, r11, r14, r15, b0, b6, b7, pfs, rsc, unat, ccv, unused,
    pad, banked[16], f[12];
};

/* traps.c */
struct expectation { u64 vector, iim, isr, ifa, count; };
extern volatile struct expectation last_trap;
/* What the next fault is allowed to be: its instruction is skipped. */
extern volatile u64 expected_vector;
/* Behind the instruction that has faulted. */
void skip(struct frame *f);
void mask_events(void);
void unmask_events(void);

/* events.c */
/* Events are an interrupt: PSR.i masks them. */
extern int fully_virtual;
typedef void (*event_handler)(u32 port);
void events_begin(void);
void events_set_handler(u32 port, event_handler handler);
void events_dispatch(void);
u32 event_bind_virq(u32 virq, u32 vcpu, event_handler handler);
void event_unmask(u32 port);
void event_send(u32 port);
void wait_for(volatile u64 *counter, u64 value);
extern volatile u64 upcalls, events_sent;
void set_timer(u64 ticks);

/* console.c */
void console_begin(u64 frame, u32 port);
void print(const char *format, ...);
/* Where characters go in the place of the ring; null: to the ring. */
extern void (*serial_output)(char c);
u64 console_read(char *buffer, u64 size);

/* check.c */
void check(const char *name, int ok);
void check_equal(const char *name, u64 got, u64 want);
extern u64 passed, failed;
void *memory_set(void *p, int c, u64 n);
void *memory_copy(void *d, const void *s, u64 n);
int compare(const void *a, const void *b, u64 n);
u64 length(const char *s);
int starts(const char *s, const char *prefix);
u64 number(const char *s);
/* Whole pages of zeros; never given back. */
void *pages(u64 count);

/* What processor 0 was given. */
struct boot { u64 command_line, systab, memmap, memmap_size, memdesc_size; u32 memdesc_version; u16 columns, rows, x, y, pad;
  u64 fpswa, initrd, initrd_size, domain_start, domain_size; };
extern struct boot *boot;
extern u8 *start_info;
extern u64 total_frames;

/* One file each. */
void test_start(u64 rsc);
void test_hyperprivops(void);
void test_privileged(void);
void test_traps(void);
void test_version(void);
void test_memory(void);
void test_events(void);
void test_schedule(void);
void test_firmware(void);
void test_processors(void);
/* False: not a fault that asks for software assistance while it is being tested. */
int assisted(struct frame *f);
void test_assist(void);
void test_optional(void);
void test_grants(void);
void grants_begin(void);
/* Where the table is, of a domain that has put it there itself. */
void grants_begin_at(void *table);
u32 grant(u16 domain, const void *page, int readonly);
/* False: it is in use. */
int ungrant(u32 reference);
void test_store(void);
#endif
