/* Files of one folder, preloaded before libc (LD_PRELOAD): counts the calls that change them, and
   at one of them ends the process or refuses the call and all that follow. The process itself arms
   it (tests/faults/server.py). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static char folder[PATH_MAX];
static size_t folder_length;
static long calls;      /* so far */
static long first;      /* the call that goes wrong, from 1; 0 for none */
static int refuse_with; /* the error of that call and those after it; 0 kills at it */

void faults_arm(const char *path, long at, int error) {
    snprintf(folder, sizeof folder, "%s", path);
    folder_length = strlen(folder);
    first = at;
    refuse_with = error;
    calls = 0;
}

long faults_calls(void) { return calls; }

static int inside(const char *path) {
    return strncmp(path, folder, folder_length) == 0 &&
           (path[folder_length] == '/' || path[folder_length] == 0);
}

static int resolve(int base, const char *path, char *out) {
    char link[64];
    ssize_t n;
    if (path == NULL || folder_length == 0)
        return 0;
    if (path[0] == '/')
        return inside(path);
    snprintf(link, sizeof link, base == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", base);
    n = readlink(link, out, PATH_MAX - 1);
    if (n <= 0)
        return 0;
    out[n] = 0;
    return inside(out);
}

static int touches(int base, const char *path) {
    char out[PATH_MAX];
    int saved = errno, found = resolve(base, path, out);
    errno = saved;
    return found;
}

static int holds(int fd) {
    char link[64], out[PATH_MAX];
    ssize_t n;
    int saved = errno;
    if (folder_length == 0)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, out, sizeof out - 1);
    errno = saved;
    if (n <= 0)
        return 0;
    out[n] = 0;
    return inside(out);
}

/* A full disk still opens what is there. */
static int creates(const char *path, int flags) {
    int saved = errno, missing = (flags & O_CREAT) && access(path, F_OK) != 0;
    errno = saved;
    return missing;
}

/* Whether this call is refused; at the fatal one only `fatal` says so, and the caller ends it. On a
   full disk (ENOSPC) only calls that take room are refused. */
static int meet(int *fatal, int grows) {
    long call = __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
    *fatal = first != 0 && call == first && refuse_with == 0;
    if (first != 0 && call >= first && refuse_with != 0 && (grows || refuse_with != ENOSPC)) {
        errno = refuse_with;
        return 1;
    }
    return 0;
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define GATE(condition, grows, otherwise)                                                          \
    if (condition) {                                                                               \
        int fatal;                                                                                 \
        if (meet(&fatal, grows))                                                                   \
            return otherwise;                                                                      \
        if (fatal)                                                                                 \
            die();                                                                                 \
    }

#define CHANGES(flags) (((flags) & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) != 0)
#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...) {                                                   \
        va_list rest;                                                                              \
        mode_t mode;                                                                               \
        va_start(rest, flags);                                                                     \
        mode = va_arg(rest, mode_t);                                                               \
        va_end(rest);                                                                              \
        GATE(CHANGES(flags) && touches(AT_FDCWD, path), creates(path, flags), -1)                  \
        return REAL(name)(path, flags, mode);                                                      \
    }
#define OPENAT(name)                                                                               \
    int name(int base, const char *path, int flags, ...) {                                         \
        va_list rest;                                                                              \
        mode_t mode;                                                                               \
        va_start(rest, flags);                                                                     \
        mode = va_arg(rest, mode_t);                                                               \
        va_end(rest);                                                                              \
        GATE(CHANGES(flags) && touches(base, path), flags & O_CREAT, -1)                           \
        return REAL(name)(base, path, flags, mode);                                                \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

/* A write that is cut off leaves the first half of its bytes. */
ssize_t write(int fd, const void *data, size_t size) {
    if (holds(fd)) {
        int fatal;
        if (meet(&fatal, 1))
            return -1;
        if (fatal) {
            REAL(write)(fd, data, size / 2);
            die();
        }
    }
    return REAL(write)(fd, data, size);
}
#define PWRITE(name, offset_type)                                                                  \
    ssize_t name(int fd, const void *data, size_t size, offset_type at) {                          \
        if (holds(fd)) {                                                                           \
            int fatal;                                                                             \
            if (meet(&fatal, 1))                                                                   \
                return -1;                                                                         \
            if (fatal) {                                                                           \
                REAL(name)(fd, data, size / 2, at);                                                \
                die();                                                                             \
            }                                                                                      \
        }                                                                                          \
        return REAL(name)(fd, data, size, at);                                                     \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t writev(int fd, const struct iovec *parts, int count) {
    GATE(holds(fd), 1, -1)
    return REAL(writev)(fd, parts, count);
}
int fsync(int fd) {
    GATE(holds(fd), 0, -1)
    return REAL(fsync)(fd);
}
int fdatasync(int fd) {
    GATE(holds(fd), 0, -1)
    return REAL(fdatasync)(fd);
}
int ftruncate(int fd, off_t size) {
    GATE(holds(fd), 0, -1)
    return REAL(ftruncate)(fd, size);
}
int ftruncate64(int fd, off64_t size) {
    GATE(holds(fd), 0, -1)
    return REAL(ftruncate64)(fd, size);
}
ssize_t copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t n,
                        unsigned flags) {
    GATE(holds(out), 1, -1)
    return REAL(copy_file_range)(in, in_at, out, out_at, n, flags);
}
int mkdir(const char *path, mode_t mode) {
    GATE(touches(AT_FDCWD, path), 1, -1)
    return REAL(mkdir)(path, mode);
}
int mkdirat(int base, const char *path, mode_t mode) {
    GATE(touches(base, path), 1, -1)
    return REAL(mkdirat)(base, path, mode);
}
int rmdir(const char *path) {
    GATE(touches(AT_FDCWD, path), 0, -1)
    return REAL(rmdir)(path);
}
int unlink(const char *path) {
    GATE(touches(AT_FDCWD, path), 0, -1)
    return REAL(unlink)(path);
}
int unlinkat(int base, const char *path, int flags) {
    GATE(touches(base, path), 0, -1)
    return REAL(unlinkat)(base, path, flags);
}
int rename(const char *from, const char *to) {
    GATE(touches(AT_FDCWD, to), 0, -1)
    return REAL(rename)(from, to);
}
int renameat(int base, const char *from, int other, const char *to) {
    GATE(touches(other, to), 0, -1)
    return REAL(renameat)(base, from, other, to);
}
int renameat2(int base, const char *from, int other, const char *to, unsigned flags) {
    GATE(touches(other, to), 0, -1)
    return REAL(renameat2)(base, from, other, to, flags);
}
int link(const char *from, const char *to) {
    GATE(touches(AT_FDCWD, to), 1, -1)
    return REAL(link)(from, to);
}
int linkat(int base, const char *from, int other, const char *to, int flags) {
    GATE(touches(other, to), 1, -1)
    return REAL(linkat)(base, from, other, to, flags);
}
int chmod(const char *path, mode_t mode) {
    GATE(touches(AT_FDCWD, path), 0, -1)
    return REAL(chmod)(path, mode);
}
