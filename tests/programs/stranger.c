/*
 * A client of the relay that knows docs/PROTOCOL.md and nothing else: no header of ours, no code of
 * ours. Its memory is the channel: bytes 0 to 255 are the words, the request area follows, and what
 * the compiler needs begins at 128 KiB. The doorbell is other memory, so ringing is the host's.
 *
 * `make` fills in what the maker of a channel writes; `run` speaks, and returns 0 or the line that
 * was wrong; `generation` and `leave` are what they are called.
 */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

__attribute__((import_module("host"), import_name("ring"))) void ring(void);
#define EXPORT(name) __attribute__((export_name(#name)))

#define AREA_AT 256u
static u32 area_bytes;
static u32 sequence;

/* The compiler may not assume that nothing lives at address 0. */
static volatile u32 *word(u32 index) {
  return (volatile u32 *)(u64)(index * 4);
}
static u8 *area(u32 at) {
  return (u8 *)(u64)(AREA_AT + at);
}
static u32 load(u32 index) {
  return __atomic_load_n(word(index), __ATOMIC_SEQ_CST);
}
static void store(u32 index, u32 value) {
  __atomic_store_n(word(index), value, __ATOMIC_SEQ_CST);
}

EXPORT(make) void make(u32 bytes) {
  area_bytes = bytes;
  store(8, 0x434E5243);
  store(9, 1);
  store(10, bytes);
  store(11, 0);
  for (u32 index = 12; index < 16; index++) store(index, 0x12345 * index);
}

/* Little-endian values, byte by byte: nothing says that they are aligned. */
static u32 end;
static void put(const void *bytes, u32 count) {
  for (u32 index = 0; index < count; index++) area(0)[end++] = ((const u8 *)bytes)[index];
}
static void put_u32(u32 value) {
  put(&value, 4);
}
static void put_f64(double value) {
  put(&value, 8);
}
static void put_ino(u64 ino) {
  put(&ino, 8);
}
static u32 get_u32(u32 at) {
  u32 value = 0;
  for (u32 index = 0; index < 4; index++) value |= (u32)area(at)[index] << (8 * index);
  return value;
}
static u64 get_u64(u32 at) {
  return get_u32(at) | (u64)get_u32(at + 4) << 32;
}
static double get_f64(u32 at) {
  union {
    u64 bits;
    double value;
  } both = { get_u64(at) };
  return both.value;
}

/* One message to the relay, and what it says to it; the signal that comes back, or -1. */
static int tell(u32 signal, u32 chunk, u32 total, u32 index) {
  *word(0) = signal;
  *word(3) = chunk;
  *word(4) = total;
  *word(5) = 0;
  *word(6) = index;
  store(16, ++sequence);
  ring();
  for (;;) {
    u32 answered = load(32);
    if (answered == sequence) return (int)*word(0);
    if (load(48) != 0) return -1;
    __builtin_wasm_memory_atomic_wait32((int *)word(32), (int)answered, 250000000LL);
    ring();
  }
}

static u32 path_bytes;
static void begin(u32 op, u32 flags, const char *path) {
  end = 0;
  put_u32(op);
  put_u32(flags);
  put_u32(0);
  put_u32(0);
  path_bytes = 0;
  while (path[path_bytes]) path_bytes++;
  put(path, path_bytes);
}

/* Sends what was put, and `more` bytes behind it, in chunks; the status of the answer. */
static int send_with(const u8 *more, u32 count) {
  u32 total = end + count;
  u32 data = total - 16 - path_bytes;
  u32 frame[2] = { path_bytes, data };
  u32 here = end;
  end = 8;
  put(frame, 8);
  end = here;
  u32 sent = 0;
  for (u32 index = 0;; index++) {
    while (sent < count && end < area_bytes) area(0)[end++] = more[sent++];
    int signal = tell(index == 0 ? 1 : 3, end, total, index);
    if (signal != 4) return signal == 2 || signal == 3 ? (int)get_u32(0) : -1000;
    end = 0;
  }
}
static int send(void) {
  return send_with(0, 0);
}

/* Takes an answer in, which may go on in chunks; its bytes. */
static u32 take(u8 *into, u32 room) {
  u32 done = 0;
  u32 at = 8;
  for (u32 index = 0;; index++) {
    u32 chunk = *word(3);
    for (; at < chunk && done < room; at++) into[done++] = area(0)[at];
    if (*word(0) == 2) return done;
    if (tell(4, 0, *word(4), index) < 0) return 0;
    at = 0;
  }
}

static u8 sent_bytes[50000];
static u8 taken_bytes[50100];

#define MUST(what) \
  if (!(what)) return __LINE__

static u64 make_file(const char *name) {
  begin(65, 0, name);
  put_ino(1);
  put_u32(0100644);
  put_u32(1);
  put_u32(2);
  put_u32(0);
  return send() == 0 ? get_u64(8) : 0;
}
static u64 look_up(const char *name) {
  begin(64, 0, name);
  put_ino(1);
  return send() == 0 ? get_u64(8) : 99;
}
static double size_of(u64 ino) {
  begin(72, 0, "");
  put_ino(ino);
  return send() == 0 && get_u32(4) == 64 ? get_f64(8 + 24) : -1;
}
static int name_call(u32 op, const char *name) {
  begin(op, 0, name);
  put_ino(1);
  return send();
}
static int lock(u32 op, u64 ino, u32 owner, u32 type) {
  begin(op, 0, "");
  put_ino(ino);
  put_u32(0);
  put_u32(owner);
  put_u32(type);
  put_u32(0);
  put_f64(2);
  put_f64(6);
  return send();
}

static int names_and_errors(void) {
  MUST(look_up("\xc3\xa9") == 0);
  u64 ino = make_file("\xc3\xa9");
  MUST(ino != 0 && look_up("\xc3\xa9") == ino);
  /* EEXIST, ENOENT, EINVAL, ENOSYS. */
  begin(65, 0, "\xc3\xa9");
  put_ino(1);
  for (int field = 0; field < 4; field++) put_u32(0100644);
  MUST(send() == -20);
  MUST(name_call(67, "none") == -44);
  /* The data of an error: two strings of s11n, what could not be done, and here no more. */
  MUST(get_u32(4) > 11 && area(8)[0] == 2 && area(8)[1] == 4 && area(8)[2] == 4);
  u32 action = get_u32(11);
  MUST(action > 4 && get_u32(4) == 3 + 4 + action + 4 && get_u32(15 + action) == 0);
  MUST(area(15)[action - 2] == 'e' && area(15)[action - 1] == '"');
  begin(78, 0, "");
  put_ino(1);
  MUST(send() == -28);
  begin(127, 0, "");
  MUST(send() == -52);
  /* The new name goes to the end of the data; then both are listed. */
  begin(66, 0, "second");
  put_ino(ino);
  put_ino(1);
  MUST(send() == 0);
  begin(69, 0, "second");
  put_ino(1);
  put_ino(1);
  put_u32(1);
  put("third", 5);
  MUST(send() == 0);
  begin(70, 0, "");
  put_ino(1);
  put_f64(0);
  MUST(send() == 2);
  u32 first = area(8)[16] | (u32)area(8)[17] << 8;
  MUST(first == 2 && area(8)[18] == 0xc3);
  MUST(get_u32(8 + 18 + 2) == (u32)ino && area(8)[18 + 2 + 18] == 't');
  MUST(name_call(67, "third") == 0);
  return 0;
}

static int bytes_in_chunks(void) {
  u64 ino = look_up("\xc3\xa9");
  for (u32 index = 0; index < sizeof sent_bytes; index++) sent_bytes[index] = (u8)(index * 7 + 3);
  begin(75, 0, "");
  put_ino(ino);
  put_f64(5);
  MUST(send_with(sent_bytes, sizeof sent_bytes) == 50000);
  begin(76, 0, "");
  put_ino(ino);
  MUST(send_with(sent_bytes, 3) == 0 && get_f64(8) == 50005 && get_u32(16) == 3);
  MUST(size_of(ino) == 50008);
  begin(74, 0, "");
  put_ino(ino);
  put_f64(5);
  put_u32(50100);
  MUST(send() == 0);
  MUST(take(taken_bytes, sizeof taken_bytes) == 50003);
  for (u32 index = 0; index < 50000; index++) MUST(taken_bytes[index] == sent_bytes[index]);
  MUST(taken_bytes[50002] == sent_bytes[2]);
  /* A size that is durable when it is answered. */
  begin(73, 1, "");
  put_ino(ino);
  put_u32(8);
  put_u32(0);
  put_u32(0);
  put_u32(0);
  put_f64(9);
  put_f64(0);
  put_f64(0);
  MUST(send() == 0 && size_of(ino) == 9);
  return 0;
}

static int locks_and_holds(void) {
  u64 ino = look_up("\xc3\xa9");
  MUST(lock(110, ino, 7, 1) == 0);
  MUST(lock(110, ino, 8, 0) == -6);
  MUST(lock(111, ino, 8, 0) == 0 && get_u32(4) == 28);
  MUST(get_u32(8) == 1 && get_f64(12) == 2 && get_f64(20) == 6 && get_f64(28) == 7);
  begin(112, 0, "");
  put_ino(ino);
  put_u32(0);
  put_u32(7);
  MUST(send() == 0 && lock(110, ino, 8, 0) == 0);
  begin(77, 0, "");
  put_ino(ino);
  MUST(send() == 0);
  MUST(name_call(67, "\xc3\xa9") == 0 && size_of(ino) == 9);
  /* A release that nobody waits for; then the inode is gone: ESTALE. */
  MUST(load(41) == load(23));
  *word(21) = (u32)ino;
  *word(22) = (u32)(ino >> 32);
  store(23, load(23) + 1);
  ring();
  begin(72, 0, "");
  put_ino(ino);
  MUST(send() == -72 && load(41) == load(23));
  return 0;
}

EXPORT(run) int run(void) {
  u32 nobody = 0;
  MUST(load(33) != 0);
  MUST(__atomic_compare_exchange_n(word(20), &nobody, 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
  ring();
  int wrong = names_and_errors();
  if (wrong == 0) wrong = bytes_in_chunks();
  if (wrong == 0) wrong = locks_and_holds();
  return wrong;
}

EXPORT(generation) u32 generation(void) {
  return load(37);
}

EXPORT(leave) void leave(void) {
  u32 open = 0;
  __atomic_compare_exchange_n(word(48), &open, 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  ring();
}
