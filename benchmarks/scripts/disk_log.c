/* Preloaded into a process, logs each change it makes to files under $DISK_LOG_ROOT, in order, to
 * $DISK_LOG: one record is an operation, the file, an offset, and the bytes. benchmarks/disk_log.py
 * reads it. Nothing of the process is changed: each call goes on to the C library. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILES 4096

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *paths[FILES];
static int log_file = -1;

static void put(const void *data, size_t length) {
    const char *rest = data;
    while (length > 0) {
        long wrote = syscall(SYS_write, log_file, rest, length);
        if (wrote <= 0) abort();
        rest += wrote;
        length -= (size_t)wrote;
    }
}

/* Called with the lock held. */
static void record(char what, const char *path, int64_t offset, const void *data, uint32_t length) {
    if (log_file < 0) {
        log_file = (int)syscall(SYS_openat, AT_FDCWD, getenv("DISK_LOG"), O_WRONLY | O_CREAT | O_APPEND, 0644);
        if (log_file < 0) abort();
    }
    uint16_t name = (uint16_t)strlen(path);
    put(&what, 1);
    put(&name, 2);
    put(&offset, 8);
    put(&length, 4);
    put(path, name);
    if (length > 0) put(data, length);
}

static int is_ours(const char *path) {
    const char *root = getenv("DISK_LOG_ROOT");
    return root && getenv("DISK_LOG") && strncmp(path, root, strlen(root)) == 0;
}

static const char *path_of(int file) { return file >= 0 && file < FILES ? paths[file] : NULL; }

static int opened(const char *path, int flags, mode_t mode) {
    pthread_mutex_lock(&lock);
    int is_new = (flags & O_CREAT) && access(path, F_OK) != 0;
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_LARGEFILE, mode);
    if (file >= 0 && file < FILES && is_ours(path)) {
        free(paths[file]);
        paths[file] = strdup(path);
        if (is_new) record('C', path, 0, NULL, 0);
        if (flags & O_TRUNC) record('T', path, 0, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    return file;
}

static mode_t mode_of(int flags, va_list rest) { return flags & O_CREAT ? (mode_t)va_arg(rest, int) : 0; }

#define OPEN(name)                                          \
    int name(const char *path, int flags, ...) {            \
        va_list rest;                                       \
        va_start(rest, flags);                              \
        mode_t mode = mode_of(flags, rest);                 \
        va_end(rest);                                       \
        return opened(path, flags, mode);                   \
    }
OPEN(open)
OPEN(open64)

int close(int file) {
    pthread_mutex_lock(&lock);
    if (path_of(file)) {
        free(paths[file]);
        paths[file] = NULL;
    }
    int gave = (int)syscall(SYS_close, file);
    pthread_mutex_unlock(&lock);
    return gave;
}

static ssize_t wrote_at(int file, const void *data, size_t length, off_t offset) {
    pthread_mutex_lock(&lock);
    ssize_t wrote = syscall(SYS_pwrite64, file, data, length, offset);
    if (wrote > 0 && path_of(file)) record('W', path_of(file), offset, data, (uint32_t)wrote);
    pthread_mutex_unlock(&lock);
    return wrote;
}

ssize_t pwrite(int file, const void *data, size_t length, off_t offset) { return wrote_at(file, data, length, offset); }
ssize_t pwrite64(int file, const void *data, size_t length, off_t offset) { return wrote_at(file, data, length, offset); }

ssize_t write(int file, const void *data, size_t length) {
    pthread_mutex_lock(&lock);
    off_t offset = path_of(file) ? lseek(file, 0, SEEK_CUR) : 0;
    ssize_t wrote = syscall(SYS_write, file, data, length);
    if (wrote > 0 && path_of(file)) record('W', path_of(file), offset, data, (uint32_t)wrote);
    pthread_mutex_unlock(&lock);
    return wrote;
}

static int truncated(int file, off_t length) {
    pthread_mutex_lock(&lock);
    int gave = (int)syscall(SYS_ftruncate, file, length);
    if (gave == 0 && path_of(file)) record('T', path_of(file), length, NULL, 0);
    pthread_mutex_unlock(&lock);
    return gave;
}

int ftruncate(int file, off_t length) { return truncated(file, length); }
int ftruncate64(int file, off_t length) { return truncated(file, length); }

/* The real one is left out: the log says what was durable, and a proof should not wait for a disk. */
static int synced(int file) {
    pthread_mutex_lock(&lock);
    if (path_of(file)) record('S', path_of(file), 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return 0;
}

int fsync(int file) { return synced(file); }
int fdatasync(int file) { return synced(file); }

int unlink(const char *path) {
    pthread_mutex_lock(&lock);
    int gave = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (gave == 0 && is_ours(path)) record('U', path, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return gave;
}
