/* fence.h - what a process can reach of the file system from one call on: Landlock, in Linux since 5.13.
 *
 * A fence is open at first, rules are added, then it is closed: for this process, all it makes, and for ever. What is
 * open already stays so. A closed fence also keeps its process from looking into those outside (ptrace, most of /proc),
 * and where the kernel knows how (6.12) from sending them signals by any road.
 */
#ifndef KIT_FENCE_H
#define KIT_FENCE_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

enum fence_use {
    FENCE_READ,     /* read, list, execute                                                         */
    FENCE_FILL,     /* read, write, make and remove files and folders; no links, FIFOs, devices    */
};

#ifdef __linux__

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As <linux/landlock.h> of Linux 6.12 has them; the header of the machine may be older, or not there. */
enum { FENCE_CREATE = 444, FENCE_ADD = 445, FENCE_RESTRICT = 446, FENCE_VERSION = 1, FENCE_BENEATH = 1 };
enum {
    MAY_EXECUTE = 1 << 0, MAY_WRITE = 1 << 1, MAY_READ = 1 << 2, MAY_LIST = 1 << 3, MAY_REMOVE = 3 << 4,
    MAY_MAKE_FOLDER = 1 << 7, MAY_MAKE_FILE = 1 << 8, MAY_MOVE = 1 << 13, MAY_TRUNCATE = 1 << 14,
    OF_FILES = MAY_EXECUTE | MAY_WRITE | MAY_READ | MAY_TRUNCATE,
};

struct fence_rules {
    uint64_t files, network, scope;
};

struct fence_rule {
    uint64_t allowed;
    int32_t fd;
} __attribute__((packed));

/* Which version of Landlock the kernel has; 0: none. */
static inline int fence_version(void)
{
    long version = syscall(FENCE_CREATE, NULL, 0L, FENCE_VERSION);
    return version > 0 ? (int)version : 0;
}

/* All uses of files that this version can refuse. */
static inline uint64_t fence_known(int version)
{
    return (1u << (version >= 5 ? 16 : version >= 3 ? 15 : version >= 2 ? 14 : 13)) - 1;
}

/* An open fence with no rule, a descriptor. -1: there is no such thing here. */
static inline int fence_begin(void)
{
    int version = fence_version();
    struct fence_rules rules = {.files = fence_known(version), .network = version >= 4 ? 3 : 0,
                                .scope = version >= 6 ? 3 : 0};
    long fence = version ? syscall(FENCE_CREATE, &rules, version >= 6 ? 24L : version >= 4 ? 16L : 8L, 0L) : -1;
    return (int)fence;
}

/* Lets what lies at that path, and below it, be used. A path where nothing is needs no rule. False, and errno, when the
 * kernel refuses. */
static inline bool fence_allow(int fence, const char *path, enum fence_use use)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    struct stat what;
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES;
    if (fstat(fd, &what) != 0)
        return close(fd), false;
    uint64_t allowed = MAY_READ | MAY_LIST;
    allowed |= use == FENCE_READ ? MAY_EXECUTE
                                 : MAY_WRITE | MAY_TRUNCATE | MAY_REMOVE | MAY_MAKE_FOLDER | MAY_MAKE_FILE | MAY_MOVE;
    allowed &= fence_known(fence_version()) & (S_ISDIR(what.st_mode) ? ~UINT64_C(0) : OF_FILES);
    struct fence_rule rule = {allowed, fd};
    bool done = syscall(FENCE_ADD, fence, FENCE_BENEATH, &rule, 0L) == 0;
    close(fd);
    return done;
}

/* Closes it, the descriptor too. False when the kernel refuses. */
static inline bool fence_close(int fence)
{
    bool done = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && syscall(FENCE_RESTRICT, fence, 0L) == 0;
    close(fence);
    return done;
}

/* Keeps this process, and all it makes, from tracing others and signalling them, those behind the same fence too. Does
 * nothing where there is no such thing. (The one use of files that it refuses, to make a link, no fence allows.) */
static inline void fence_apart(void)
{
    int version = fence_version();
    struct fence_rules rules = {.files = 1 << 12, .scope = version >= 6 ? 3 : 0};
    long fence = version ? syscall(FENCE_CREATE, &rules, version >= 6 ? 24L : 8L, 0L) : -1;
    if (fence >= 0)
        (void)fence_close((int)fence);
}

#else

static inline void fence_apart(void) { }
static inline int fence_begin(void) { return -1; }
static inline bool fence_allow(int fence, const char *path, enum fence_use use) { return fence < 0 && !path && !use; }
static inline bool fence_close(int fence) { return fence < 0; }

#endif
#endif
