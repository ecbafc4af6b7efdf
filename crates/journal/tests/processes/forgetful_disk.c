/* A disk that a power cut leaves with what was synced and nothing else, for a process that is begun with this in
 * LD_PRELOAD. FORGETFUL_DISK names a folder: each sync of a file copies its content there, under its inode; each sync
 * of a folder writes the names in it, with their inodes. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void copy(int from, FILE *to) {
    char bytes[1 << 16];
    ssize_t count;
    for (off_t at = 0; (count = pread(from, bytes, sizeof bytes, at)) > 0; at += count)
        if (fwrite(bytes, 1, (size_t)count, to) != (size_t)count) abort();
}

static void list(int folder, FILE *to) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", folder);
    DIR *names = opendir(path);
    if (!names) abort();
    for (struct dirent *name; (name = readdir(names));)
        if (name->d_name[0] != '.') fprintf(to, "%lu %s\n", (unsigned long)name->d_ino, name->d_name);
    closedir(names);
}

static void keep(int fd) {
    const char *disk = getenv("FORGETFUL_DISK");
    struct stat about;
    if (!disk || fstat(fd, &about)) return;
    char path[4096], unfinished[4100];
    snprintf(path, sizeof path, "%s/%lu", disk, (unsigned long)about.st_ino);
    snprintf(unfinished, sizeof unfinished, "%s.new", path);
    FILE *to = fopen(unfinished, "w");
    if (!to) abort();
    if (S_ISDIR(about.st_mode)) list(fd, to); else copy(fd, to);
    if (fclose(to) || rename(unfinished, path)) abort();
}

static int synced(const char *name, int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    int code = real(fd);
    if (code == 0) keep(fd);
    return code;
}

int fsync(int fd) { return synced("fsync", fd); }
int fdatasync(int fd) { return synced("fdatasync", fd); }
