/* Prints everything below a directory, sorted: type, mode, size, a sum of the bytes, target. */
#include "probe.h"

static int by_name(const void *a, const void *b) { return strcmp(*(char **)a, *(char **)b); }

static unsigned sum_of(const char *path) {
  unsigned char bytes[4096];
  unsigned sum = 1;
  int fd = open(path, O_RDONLY);
  for (ssize_t got; (got = read(fd, bytes, sizeof bytes)) > 0;) {
    for (ssize_t i = 0; i < got; i++) sum = sum * 31 + bytes[i];
  }
  close(fd);
  return sum;
}

static void print_tree(const char *path);

static void print_entry(const char *path) {
  struct stat st;
  if (lstat(path, &st) != 0) {
    say(path, -1);
  } else if (S_ISLNK(st.st_mode)) {
    printf("%s: link of %ld bytes\n", path, (long)st.st_size);
  } else if (S_ISDIR(st.st_mode)) {
    printf("%s: directory %o\n", path, (unsigned)st.st_mode & 07777);
    print_tree(path);
  } else if (S_ISREG(st.st_mode)) {
    printf("%s: file %o, %ld bytes, sum %u\n", path, (unsigned)st.st_mode & 07777,
           (long)st.st_size, sum_of(path));
  } else {
    printf("%s: special %o\n", path, (unsigned)st.st_mode);
  }
}

static void print_tree(const char *path) {
  char *names[1000], child[1024];
  int count = 0;
  DIR *directory = opendir(path);
  if (directory == NULL) {
    say(path, -1);
    return;
  }
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
      names[count++] = strdup(entry->d_name);
    }
  }
  closedir(directory);
  qsort(names, count, sizeof *names, by_name);
  for (int i = 0; i < count; i++) {
    snprintf(child, sizeof child, "%s/%s", path, names[i]);
    print_entry(child);
    free(names[i]);
  }
}

int main(int count, char **arguments) {
  enter(count, arguments);
  print_tree(".");
  return 0;
}
