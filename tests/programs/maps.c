/* Memory maps: shared and private, with an offset, written back by msync and munmap. */
#include "probe.h"

#define PAGE 65536

static int make_pages(const char *path, int pages, int tail) {
  int fd = make_file(path, "");
  for (int i = 0; i < pages; i++) pwrite(fd, "page", 4, (off_t)i * PAGE);
  ftruncate(fd, (off_t)pages * PAGE + tail);
  return fd;
}

static void say_at(const char *name, int fd, off_t at) {
  char bytes[8] = "";
  ssize_t length = pread(fd, bytes, 6, at);
  say_text(name, bytes, length < 0 ? 0 : (size_t)length);
}

static void shared(void) {
  int fd = make_pages("shared", 2, 100);
  char *bytes = mmap(NULL, 2 * PAGE + 100, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  say("mmap shared", bytes == MAP_FAILED ? -1 : 0);
  say_text("mapped bytes", bytes + PAGE, 4);
  memcpy(bytes + PAGE, "MSYNC!", 6);
  say("msync", msync(bytes, 2 * PAGE + 100, MS_SYNC));
  say_at("written by msync", fd, PAGE);
  memcpy(bytes + 10, "MUNMAP", 6);
  say("munmap", munmap(bytes, 2 * PAGE + 100));
  say_at("written by munmap", fd, 10);
  struct stat st;
  fstat(fd, &st);
  say("size of what was mapped", (long)st.st_size);
  close(fd);
}

static void private(void) {
  int fd = make_pages("private", 1, 0);
  char *bytes = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  say("mmap private", bytes == MAP_FAILED ? -1 : 0);
  memcpy(bytes, "MINE", 4);
  say("msync of a private map", msync(bytes, PAGE, MS_SYNC));
  say("munmap of a private map", munmap(bytes, PAGE));
  say_at("left alone", fd, 0);
  close(fd);
}

static void with_an_offset(void) {
  int fd = make_pages("offset", 3, 0);
  char *bytes = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
  say("mmap at an offset", bytes == MAP_FAILED ? -1 : 0);
  memcpy(bytes, "SECOND", 6);
  say("msync of it", msync(bytes, PAGE, MS_SYNC));
  say_at("first page", fd, 0);
  say_at("second page", fd, PAGE);
  memcpy(bytes, "AGAIN!", 6);
  say("munmap of it", munmap(bytes, PAGE));
  say_at("second page after munmap", fd, PAGE);
  close(fd);
}

/* A window that goes through the file: at each place it is mapped, changed, synced and unmapped. */
static void a_sliding_window(void) {
  int fd = make_pages("window", 3, 0);
  for (int i = 0; i < 3; i++) {
    char name[40];
    char *bytes = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)i * PAGE);
    bytes[0] = 'A' + i;
    snprintf(name, sizeof name, "msync of window %d", i);
    say(name, msync(bytes, PAGE, MS_SYNC));
    for (int j = 0; j < 3; j++) {
      snprintf(name, sizeof name, "page %d in window %d", j, i);
      say_at(name, fd, (off_t)j * PAGE);
    }
    munmap(bytes, PAGE);
  }
  close(fd);
}

/* Two maps at the same time, one after another with the same bytes, and one that was only read. */
static void several_maps(void) {
  int fd = make_pages("several", 4, 0);
  munmap(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0), PAGE);
  char *first = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
  char *second = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 2 * PAGE);
  memset(first, 'F', PAGE);
  say("msync of the first", msync(first, PAGE, MS_SYNC));
  memset(second, 'S', PAGE);
  say("msync of the second", msync(second, PAGE, MS_SYNC));
  memset(first, 'E', PAGE);
  memset(second, 'E', PAGE);
  say("msync of equals", msync(first, PAGE, MS_SYNC));
  for (int i = 0; i < 4; i++) {
    char name[40];
    snprintf(name, sizeof name, "page %d of several", i);
    say_at(name, fd, (off_t)i * PAGE);
  }
  say("munmap of the first", munmap(first, PAGE));
  say("munmap of the second", munmap(second, PAGE));
  close(fd);
}

static void at_the_end(void) {
  int fd = make_file("short", "0123456789");
  char *bytes = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  say("mmap of a short file", bytes == MAP_FAILED ? -1 : 0);
  say("zeros behind the end", bytes[10] == 0 && bytes[4095] == 0);
  memcpy(bytes + 8, "ABCDEF", 6);
  say("munmap of a short file", munmap(bytes, 4096));
  close(fd);
  say_file("only what was inside", "short");
}

/* The descriptor's number goes to another file while the map still lives. */
static void number_taken_over(void) {
  int fd = make_file("mapped", "mapped file");
  char *bytes = mmap(NULL, 11, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  memcpy(bytes, "CHANGE", 6);
  close(fd);
  int other = make_file("bystander", "leave me be");
  say("the number is taken over", other == fd);
  say("munmap when closed", munmap(bytes, 11));
  say_at("the bystander", other, 0);
  close(other);
  say_file("written after close", "mapped");
}

static void refused(void) {
  int fd = open("short", O_RDONLY);
  void *bytes = mmap(NULL, 10, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  say("mmap to write what is read only", bytes == MAP_FAILED ? -1 : 0);
  bytes = mmap(NULL, 10, PROT_READ, MAP_SHARED, fd, 0);
  say("mmap to read it", bytes == MAP_FAILED ? -1 : 0);
  munmap(bytes, 10);
  close(fd);
  fd = open("short", O_WRONLY);
  bytes = mmap(NULL, 10, PROT_READ, MAP_SHARED, fd, 0);
  say("mmap to read what is write only", bytes == MAP_FAILED ? -1 : 0);
  close(fd);
  bytes = mmap(NULL, 10, PROT_READ, MAP_SHARED, fd, 0);
  say("mmap of a closed descriptor", bytes == MAP_FAILED ? -1 : 0);
}

int main(int count, char **arguments) {
  enter(count, arguments);
  shared();
  private();
  with_an_offset();
  a_sliding_window();
  several_maps();
  at_the_end();
  number_taken_over();
  refused();
  return 0;
}
