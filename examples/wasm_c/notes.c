/*
 * A notebook that remembers its earlier runs: plain POSIX calls, no word about the web.
 *
 *     notes [directory [seconds-since-1970]]
 *
 * The directory is /data unless one is given; the time is given by tests only. It reads what
 * earlier runs left, adds one note, and says both in a few lines. Any call that fails ends it with
 * status 1.
 * The same file compiles with a native compiler and with emcc (see build.sh).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* One record of runs.bin: fixed size, so that run n is at byte (n - 1) * sizeof. */
struct run {
  uint32_t number;
  uint32_t notebook_bytes;
  int64_t time;
};

static void fail(const char *call, const char *subject) {
  printf("failed: %s \"%s\": %s\n", call, subject, strerror(errno));
  exit(1);
}

static void check(int ok, const char *call, const char *subject) {
  if (!ok) fail(call, subject);
}

/* What came back is not what was written: worse than any errno. */
static void check_same(int same, const char *subject) {
  if (same) return;
  printf("failed: \"%s\" does not hold what was written to it\n", subject);
  exit(1);
}

static int open_file(const char *name, int flags) {
  int fd = open(name, flags, 0644);
  check(fd >= 0, "open", name);
  return fd;
}

static void write_all(int fd, const void *bytes, size_t length, const char *name) {
  check(write(fd, bytes, length) == (ssize_t)length, "write", name);
}

static off_t size_of(const char *name) {
  struct stat st;
  check(stat(name, &st) == 0, "stat", name);
  return st.st_size;
}

/* Counts the runs so far, checks each record, and leaves the newest in *last. */
static uint32_t read_runs(int fd, struct run *last) {
  uint32_t count = 0;
  struct run record;
  ssize_t got;
  while ((got = pread(fd, &record, sizeof record, (off_t)count * sizeof record)) > 0) {
    check(got == sizeof record, "pread", "runs.bin");
    check_same(record.number == count + 1, "runs.bin");
    *last = record;
    count++;
  }
  check(got == 0, "pread", "runs.bin");
  return count;
}

static void format_time(int64_t seconds, char *text, size_t size) {
  time_t when = (time_t)seconds;
  struct tm parts;
  check(gmtime_r(&when, &parts) != NULL, "gmtime", "time");
  strftime(text, size, "%Y-%m-%d %H:%M:%S UTC", &parts);
}

static void report_found(uint32_t runs, const struct run *last) {
  char when[64];
  if (runs == 0) {
    printf("found: nothing, this is the first run\n");
    return;
  }
  format_time(last->time, when, sizeof when);
  printf("found: %u earlier run%s, the last at %s\n", (unsigned)runs, runs == 1 ? "" : "s", when);
}

/* A run ends with its record in runs.bin: what an interrupted one left before that is taken back. */
static void take_back_interrupted(const struct run *last) {
  if (access("notebook.txt", F_OK) != 0) {
    check_same(last->notebook_bytes == 0, "notebook.txt");
    return;
  }
  off_t size = size_of("notebook.txt");
  check_same(size >= (off_t)last->notebook_bytes, "notebook.txt");
  if (size == (off_t)last->notebook_bytes) return;
  check(truncate("notebook.txt", last->notebook_bytes) == 0, "truncate", "notebook.txt");
  printf("found: a line of an interrupted run, taken back\n");
}

/* Appends a line to notebook.txt and makes it durable. Returns the new size of the file. */
static uint32_t append_note(uint32_t number, int64_t now) {
  char when[64], line[128];
  format_time(now, when, sizeof when);
  int length = snprintf(line, sizeof line, "run %u at %s\n", (unsigned)number, when);
  int fd = open_file("notebook.txt", O_WRONLY | O_CREAT | O_APPEND);
  write_all(fd, line, length, "notebook.txt");
  check(fsync(fd) == 0, "fsync", "notebook.txt");
  check(close(fd) == 0, "close", "notebook.txt");
  return (uint32_t)size_of("notebook.txt");
}

static void append_run(int fd, uint32_t number, uint32_t notebook_bytes, int64_t now) {
  struct run record = {number, notebook_bytes, now}, back;
  off_t at = (off_t)(number - 1) * sizeof record;
  check(pwrite(fd, &record, sizeof record, at) == sizeof record, "pwrite", "runs.bin");
  check(pread(fd, &back, sizeof back, at) == sizeof back, "pread", "runs.bin");
  check_same(memcmp(&record, &back, sizeof record) == 0, "runs.bin");
  check(fsync(fd) == 0, "fsync", "runs.bin");
}

/* Writes a file under a draft name and moves it into archive/ in one step, as editors save. */
static void archive_note(uint32_t number) {
  char name[64], text[64];
  snprintf(name, sizeof name, "archive/note-%u.txt", (unsigned)number);
  int length = snprintf(text, sizeof text, "the note of run %u\n", (unsigned)number);
  int fd = open_file("draft.txt", O_RDWR | O_CREAT | O_TRUNC);
  write_all(fd, text, length, "draft.txt");
  check(ftruncate(fd, 4096) == 0, "ftruncate", "draft.txt");
  check(ftruncate(fd, length) == 0, "ftruncate", "draft.txt");
  check(fsync(fd) == 0, "fsync", "draft.txt");
  check(close(fd) == 0, "close", "draft.txt");
  check(mkdir("archive", 0755) == 0 || errno == EEXIST, "mkdir", "archive");
  check(rename("draft.txt", name) == 0, "rename", name);
  check(unlink("latest") == 0 || errno == ENOENT, "unlink", "latest");
  check(symlink(name, "latest") == 0, "symlink", "latest");
}

/* Reads the newest note through the symbolic link. */
static void check_latest(uint32_t number) {
  char expected[64], text[64];
  int length = snprintf(expected, sizeof expected, "the note of run %u\n", (unsigned)number);
  int fd = open_file("latest", O_RDONLY);
  check_same(read(fd, text, sizeof text) == length, "latest");
  check_same(memcmp(text, expected, length) == 0, "latest");
  check(close(fd) == 0, "close", "latest");
}

/* A scratch file that loses its name at once lives until it is closed. */
static void use_scratch(void) {
  char bytes[3000], back[3000];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)(i * 7);
  int fd = open_file("scratch", O_RDWR | O_CREAT | O_TRUNC);
  check(unlink("scratch") == 0, "unlink", "scratch");
  write_all(fd, bytes, sizeof bytes, "scratch");
  check(lseek(fd, 0, SEEK_SET) == 0, "lseek", "scratch");
  check(read(fd, back, sizeof back) == sizeof back, "read", "scratch");
  check_same(memcmp(bytes, back, sizeof bytes) == 0, "scratch");
  check(close(fd) == 0, "close", "scratch");
}

static unsigned count_notes(void) {
  unsigned notes = 0;
  DIR *directory = opendir("archive");
  check(directory != NULL, "opendir", "archive");
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    notes += strncmp(entry->d_name, "note-", 5) == 0;
  }
  check(closedir(directory) == 0, "closedir", "archive");
  return notes;
}

int main(int count, char **arguments) {
  const char *directory = count > 1 ? arguments[1] : "/data";
  int64_t now = count > 2 ? atoll(arguments[2]) : (int64_t)time(NULL);
  struct run last = {0};
  check(chdir(directory) == 0, "chdir", directory);
  int runs = open_file("runs.bin", O_RDWR | O_CREAT);
  uint32_t number = read_runs(runs, &last) + 1;
  report_found(number - 1, &last);
  take_back_interrupted(&last);
  uint32_t notebook_bytes = append_note(number, now);
  archive_note(number);
  check_latest(number);
  use_scratch();
  append_run(runs, number, notebook_bytes, now);
  check(close(runs) == 0, "close", "runs.bin");
  check_same(count_notes() == number, "archive");
  printf("did: run %u wrote notebook.txt (%u bytes), runs.bin (%u bytes), archive/note-%u.txt\n",
         (unsigned)number, (unsigned)notebook_bytes, (unsigned)size_of("runs.bin"),
         (unsigned)number);
  printf("now: %u note%s in archive, latest points to the newest\n", (unsigned)number,
         number == 1 ? "" : "s");
  return 0;
}
