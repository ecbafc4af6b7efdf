/* A disk that a power cut leaves with what was synced and nothing else, for a process that is begun with this in
 * LD_PRELOAD. FORGETFUL_DISK names a folder: each sync of a file copies its content there, under its inode; each sync
 * of a folder writes the names in it, with their inodes. With FORGETFUL_END_AT the process is killed in place of its
 * n-th call of those below, from 1. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
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
    if (fclose(to) || renameat(AT_FDCWD, unfinished, AT_FDCWD, path)) abort();
}

static void count(void) {
    static atomic_int calls;
    const char *end = getenv("FORGETFUL_END_AT");
    if (end && atomic_fetch_add(&calls, 1) + 1 == atoi(end)) kill(getpid(), SIGKILL);
}

static int synced(const char *name, int fd) {
    count();
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    int code = real(fd);
    if (code == 0) keep(fd);
    return code;
}

int fsync(int fd) { return synced("fsync", fd); }
int fdatasync(int fd) { return synced("fdatasync", fd); }

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) {
    ssize_t (*real)(int, const void *, size_t, off64_t) =
        (ssize_t (*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
    count();
    return real(fd, bytes, size, at);
}

int ftruncate64(int fd, off64_t length) {
    int (*real)(int, off64_t) = (int (*)(int, off64_t))dlsym(RTLD_NEXT, "ftruncate64");
    count();
    return real(fd, length);
}

int rename(const char *from, const char *to) {
    int (*real)(const char *, const char *) = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
    count();
    return real(from, to);
}

int unlink(const char *path) {
    int (*real)(const char *) = (int (*)(const char *))dlsym(RTLD_NEXT, "unlink");
    count();
    return real(path);
}
