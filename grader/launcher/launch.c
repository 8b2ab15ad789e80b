/* launch.c - sets one process up for a program nobody trusts yet, and becomes that program.
 *
 *     launch [OPTION]... -- PROGRAM [ARGUMENT]...
 *
 *     --cpu SECONDS       processor time: SIGXCPU at the limit, SIGKILL a second later
 *     --memory BYTES      address space (not for sanitizer builds: their shadow memory is huge)
 *     --file BYTES        the largest file it may write: SIGXFSZ beyond
 *     --confine           no new processes, no other program, no network, no signals to others, no privileges of root
 *     --forks             with --confine: it may copy itself, and the copies shut themselves in (kit/forks.h)
 *     --leaks             with --confine: what LeakSanitizer looks at its own threads with is allowed
 *     --read PATH         of the file system it can reach this, to read and execute ...
 *     --write PATH        ... and this, to write, and nothing else that is not named so (kit/fence.h)
 *     --user ID           as this user and group, in no other group; what --write names is theirs. Takes root
 *     --fixed-addresses   the same addresses in every run
 *     --keep-fd N         keep this open file (below 256); all others above 2 are closed
 *     launch --check      prints how well --confine works on this machine: "seccomp" or "rlimits"
 *     launch --serve N    starts programs for whoever asks through the open file N (cell.h)
 *     launch --probe INSIDE OUTSIDE    is for whoever tries how well it works: exits with 0 if a file can be made in
 *                         the folder INSIDE, OUTSIDE cannot be read, and no process can be made; else says which
 *
 * Everything set here survives exec, which is why this can be a program of its own: it sets its own
 * limits and then turns into the program, keeping its process id. Whoever started it (process.py) does what
 * only a second process can: reading the output and watching the clock on the wall.
 *
 * Exits with 125 when it cannot do its work, with one line on stderr. Otherwise it does not exit: it is the program
 * then.
 */
#define _GNU_SOURCE
#include "cell.h"
#include "kit/fence.h"
#include "kit/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

enum { CANNOT_LAUNCH = 125, MAX_FD = 256, STACK = 8 << 20, MOST_PATHS = 64 };

/* What the command line asks for. */
struct order {
    long long cpu, memory, file;            /* -1: no limit */
    long long user;                         /* -1: as whoever starts it */
    bool confined, forks, leaks, fixed;
    bool keep[MAX_FD];
    int paths_n;
    struct { const char *name; enum fence_use use; } paths[MOST_PATHS];
    char **program;                         /* its name first, NULL in the end */
};

static _Noreturn void fail(const char *what, const char *about)
{
    fprintf(stderr, "launch: %s %s%s%s\n", what, about, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(CANNOT_LAUNCH);
}

/* ---- Limits: the kernel counts, and sends a signal ----------------------------------------- */

static void limit(int resource, rlim_t soft, rlim_t hard, const char *name)
{
    struct rlimit now;
    if (getrlimit(resource, &now) == 0 && hard > now.rlim_max)
        hard = now.rlim_max;                    /* a limit we inherit may be lowered, never raised */
    struct rlimit wanted = {.rlim_cur = soft < hard ? soft : hard, .rlim_max = hard};
    if (setrlimit(resource, &wanted) != 0)
        fail("cannot limit", name);
}

/* ---- Confinement: a filter the kernel runs before every system call ------------------------ */

#ifdef FILTER_ARCH

/* System calls that fail whatever their arguments are. RLIMIT_NPROC would be the usual bound on processes,
 * but it does not bind root, and in a container the grader often is root. */
static const struct { int number, error; } denied[] = {
    {__NR_clone3, ENOSYS},               /* its flags lie in memory, where no filter can look; libc falls
                                            back to clone */
    {__NR_openat2, ENOSYS},              /* the same */
    {__NR_execveat, EPERM},
    {__NR_tkill, EPERM},                 /* signals to others, and their memory */
    {__NR_pidfd_open, EPERM},
    {__NR_pidfd_send_signal, EPERM},
    {__NR_pidfd_getfd, EPERM},
    {__NR_process_vm_readv, EPERM},
    {__NR_process_vm_writev, EPERM},
    {__NR_process_madvise, EPERM},
    {__NR_process_mrelease, EPERM},
    {__NR_kcmp, EPERM},
    {__NR_socket, EACCES},               /* a lab program in the virtual world has no network */
    {__NR_socketpair, EACCES},
    {__NR_bind, EACCES},
    {__NR_connect, EACCES},
    {__NR_listen, EACCES},
    {__NR_io_uring_setup, ENOSYS},       /* would make sockets behind the filter's back */
    {__NR_memfd_create, EPERM},          /* what would outlive it, or counts as nobody's memory */
    {__NR_shmget, EPERM},
    {__NR_semget, EPERM},
    {__NR_msgget, EPERM},
    {__NR_mq_open, EPERM},
    {__NR_fchmod, EPERM},                /* what Landlock does not see: rights, owners, times, names of files */
    {__NR_fchmodat, EPERM},
    {__NR_fchown, EPERM},
    {__NR_fchownat, EPERM},
    {__NR_utimensat, EPERM},
    {__NR_setxattr, EPERM},
    {__NR_lsetxattr, EPERM},
    {__NR_fsetxattr, EPERM},
    {__NR_removexattr, EPERM},
    {__NR_lremovexattr, EPERM},
    {__NR_fremovexattr, EPERM},
    {__NR_inotify_add_watch, EPERM},
#ifdef __NR_chmod
    {__NR_chmod, EPERM},
    {__NR_chown, EPERM},
    {__NR_lchown, EPERM},
    {__NR_utime, EPERM},
    {__NR_utimes, EPERM},
    {__NR_futimesat, EPERM},
#endif
    {__NR_setpriority, EPERM},           /* what makes others wait */
    {__NR_sched_setaffinity, EPERM},
    {__NR_sched_setattr, EPERM},
    {__NR_sched_setparam, EPERM},
    {__NR_sched_setscheduler, EPERM},
    {__NR_ioprio_set, EPERM},
    {__NR_add_key, EPERM},
    {__NR_request_key, EPERM},
    {__NR_keyctl, EPERM},
    {__NR_bpf, EPERM},                   /* large doors into the kernel that no lab needs */
    {__NR_userfaultfd, EPERM},
    {__NR_perf_event_open, EPERM},
    {__NR_fanotify_init, EPERM},
    {__NR_open_by_handle_at, EPERM},
    {__NR_unshare, EPERM},
    {__NR_setns, EPERM},
    {__NR_chroot, EPERM},
    {__NR_pivot_root, EPERM},
    {__NR_mount, EPERM},
    {__NR_umount2, EPERM},
    {__NR_move_mount, EPERM},
    {__NR_open_tree, EPERM},
    {__NR_fsopen, EPERM},
    {__NR_swapon, EPERM},
    {__NR_reboot, EPERM},
    {__NR_kexec_load, EPERM},
};

enum { NEWEST_CALL = 450 };              /* those that came later are not known here: they fail as on an older kernel */

/* What LeakSanitizer asks ptrace for, of the threads of its own process: attach, detach, go on, end, read registers. */
static const uint32_t leak_checkers[] = {16, 17, 7, 8, 12, 0x4204};

static void put_ptrace(bool leaks)
{
    enum { MANY = sizeof leak_checkers / sizeof leak_checkers[0] };
    if (leaks) {
        equal(__NR_ptrace, 2 * MANY + 2);
        load(ARG_0);
        for (int i = 0; i < MANY; i++) {
            equal(leak_checkers[i], 1);
            allow();
        }
        deny(EPERM);
    } else
        deny_call(__NR_ptrace, EPERM);
}

/* Only the call that makes this process the program may execute one: it is known by where its words lie. */
static void put_execve(char **program)
{
    uint64_t name = (uintptr_t)program[0], words = (uintptr_t)program;
    equal(__NR_execve, 10);
    load(ARG_0);
    equal((uint32_t)name, 7);
    load(ARG_0 + 4);
    equal((uint32_t)(name >> 32), 5);
    load(ARG_1);
    equal((uint32_t)words, 3);
    load(ARG_1 + 4);
    equal((uint32_t)(words >> 32), 1);
    allow();
    deny(EPERM);
}

/* Before Linux 6.2 Landlock does not see that a file is cut without being opened for writing. */
static void put_cuts(void)
{
    if (fence_version() >= 3)
        return;
    deny_call(__NR_truncate, EPERM);
    equal(__NR_openat, 6);
    load(ARG_2);
    any_bit(O_TRUNC, 3);
    any_bit(O_ACCMODE, 1);
    put(BPF_JMP | BPF_JA, 1, 0, 0);
    deny(EPERM);
    load(NUMBER);
#ifdef __NR_open
    deny_call(__NR_creat, EPERM);
    equal(__NR_open, 6);
    load(ARG_1);
    any_bit(O_TRUNC, 3);
    any_bit(O_ACCMODE, 1);
    put(BPF_JMP | BPF_JA, 1, 0, 0);
    deny(EPERM);
    load(NUMBER);
#endif
}

static void write_filter(const struct order *order)
{
    filter_length = 0;
    load(offsetof(struct seccomp_data, arch));
    equal(FILTER_ARCH, 1);                      /* another architecture's numbers mean other calls */
    put(BPF_JMP | BPF_JA, 1, 0, 0);
    deny(ENOSYS);

    load(NUMBER);
    put(BPF_JMP | BPF_JGT | BPF_K, NEWEST_CALL, 0, 1);     /* x32, too: the same calls under other numbers */
    deny(ENOSYS);
    for (size_t i = 0; i < sizeof denied / sizeof denied[0]; i++)
        deny_call(denied[i].number, denied[i].error);
    put_ptrace(order->leaks);
    put_cuts();
    if (!order->forks)
        put_alone();
    put_execve(order->program);
    allow();                                    /* everything else */
}

/* Takes effect for this process and for ever. Returns false where the kernel has no such thing. */
static bool confine(const struct order *order)
{
    /* Root without capabilities is an ordinary user who owns many files. Files stay reachable (DAC_OVERRIDE is 1),
     * because a container's work folder may belong to someone else. Fails harmlessly when we are not root. */
    for (int capability = 0; capability < 64; capability++) {
        if (capability != 1)
            (void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    }
    write_filter(order);
    return filter_install();
}

#else

static bool confine(const struct order *order)
{
    (void)order;
    return false;
}

#endif

/* ---- The rest of a clean start ------------------------------------------------------------- */

/* Signals as a program expects to find them: a shell may have started the grader with some ignored. */
static void reset_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
}

static void clean_files(const bool keep[MAX_FD])
{
    int empty = open("/dev/null", O_RDONLY);
    if (empty < 0 || dup2(empty, 0) < 0)
        fail("cannot open", "/dev/null");
    for (int fd = 3; fd < MAX_FD; fd++) {
        if (!keep[fd])
            close(fd);
    }
#ifdef __NR_close_range
    (void)syscall(__NR_close_range, (unsigned)MAX_FD, ~0U, 0);
#endif
}

static long long number(const char *option, const char *text, long long most)
{
    char *end = NULL;
    errno = 0;
    long long value = text ? strtoll(text, &end, 10) : -1;
    if (!text || end == text || *end || errno || value < 0 || value > most) {
        errno = 0;
        fail("needs a whole number after", option);
    }
    return value;
}

static void add_path(struct order *order, const char *name, enum fence_use use)
{
    if (!name || order->paths_n == MOST_PATHS)
        fail("needs a path after --read and --write, and not too many: ", name ? name : "none");
    order->paths[order->paths_n].name = name;
    order->paths[order->paths_n++].use = use;
}

static void read_option(struct order *order, const char *option, char **next)
{
    if (strcmp(option, "--confine") == 0)
        order->confined = true;
    else if (strcmp(option, "--forks") == 0)
        order->forks = true;
    else if (strcmp(option, "--leaks") == 0)
        order->leaks = true;
    else if (strcmp(option, "--fixed-addresses") == 0)
        order->fixed = true;
    else if (strcmp(option, "--cpu") == 0)
        order->cpu = number(option, *next, 1000000);
    else if (strcmp(option, "--memory") == 0)
        order->memory = number(option, *next, INT64_MAX);
    else if (strcmp(option, "--file") == 0)
        order->file = number(option, *next, INT64_MAX);
    else if (strcmp(option, "--user") == 0)
        order->user = number(option, *next, 0xFFFFFFFE);
    else if (strcmp(option, "--keep-fd") == 0)
        order->keep[number(option, *next, MAX_FD - 1)] = true;
    else if (strcmp(option, "--read") == 0)
        add_path(order, *next, FENCE_READ);
    else if (strcmp(option, "--write") == 0)
        add_path(order, *next, FENCE_FILL);
    else
        fail("does not know the option", option);
}

/* Reads the command line. */
static void read_order(struct order *order, int argc, char **argv)
{
    static const char *const alone[] = {"--confine", "--forks", "--leaks", "--fixed-addresses"};
    int i = 1;
    while (i < argc && strcmp(argv[i], "--") != 0) {
        bool word = true;
        for (size_t k = 0; k < sizeof alone / sizeof alone[0]; k++)
            word = word && strcmp(argv[i], alone[k]) != 0;
        read_option(order, argv[i], argv + i + 1);
        i += word ? 2 : 1;
    }
    if (i + 1 >= argc)
        fail("needs", "-- PROGRAM [ARGUMENT]...");
    order->program = argv + i + 1;
}

static void set_limits(const struct order *order)
{
    limit(RLIMIT_CORE, 0, 0, "core dumps");
    limit(RLIMIT_STACK, STACK, RLIM_INFINITY, "the stack");      /* where it ends decides what lies where */
    limit(RLIMIT_NOFILE, MAX_FD, MAX_FD, "open files");
    if (order->cpu >= 0)
        limit(RLIMIT_CPU, (rlim_t)order->cpu, (rlim_t)order->cpu + 1, "processor time");
    if (order->file >= 0)
        limit(RLIMIT_FSIZE, (rlim_t)order->file, (rlim_t)order->file, "file size");
    if (order->memory >= 0)
        limit(RLIMIT_AS, (rlim_t)order->memory, (rlim_t)order->memory, "memory");
}

/* What it may write is its user's. (Devices are everybody's already.) */
static void give(const struct order *order)
{
    for (int i = 0; i < order->paths_n; i++) {
        const char *name = order->paths[i].name;
        struct stat what;
        if (order->paths[i].use != FENCE_FILL || lstat(name, &what) != 0 ||
            !(S_ISDIR(what.st_mode) || S_ISREG(what.st_mode)))
            continue;
        if (lchown(name, (uid_t)order->user, (gid_t)order->user) != 0)
            fail("cannot give away", name);
    }
}

/* With that the rights of root are gone, and the way back to them. */
static void become(const struct order *order)
{
    uid_t id = (uid_t)order->user;
    if (order->user >= 0 && (setgroups(0, NULL) != 0 || setresgid(id, id, id) != 0 || setresuid(id, id, id) != 0))
        fail("cannot become another user", "");
}

/* A fence, or a user, that was asked for and cannot be had ends it: what is started here is never started without. */
static void close_in(const struct order *order)
{
    int fence = order->paths_n ? fence_begin() : -1;
    if (order->paths_n && fence < 0)
        fail("cannot make a fence", "");
    for (int i = 0; i < order->paths_n; i++) {
        if (!fence_allow(fence, order->paths[i].name, order->paths[i].use))
            fail("cannot let into the fence", order->paths[i].name);
    }
    if (order->user >= 0)
        give(order);
    become(order);
    if (order->paths_n && !fence_close(fence))
        fail("cannot close the fence", "");
}

/* What a program finds that was shut in: 0, or the first thing that it can do and should not. */
static int probe(const char *inside, const char *outside)
{
    char made[4096];
    snprintf(made, sizeof made, "%s/probe", inside);
    int file = open(made, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0 || write(file, "x", 1) != 1)
        return puts("no file can be made where one should") < 0 ? 2 : 1;
    unlink(made);
    if (open(outside, O_RDONLY | O_CLOEXEC) >= 0)
        return puts("a file can be read that should not be") < 0 ? 2 : 1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return pid > 0 ? puts("a process can be made") < 0 ? 2 : 1 : 0;
}

int main(int argc, char **argv)
{
    struct order order = {.cpu = -1, .memory = -1, .file = -1, .user = -1, .program = argv};
    if (argc == 2 && strcmp(argv[1], "--check") == 0)
        return puts(confine(&order) ? "seccomp" : "rlimits") < 0;
    if (argc == 3 && strcmp(argv[1], "--serve") == 0)
        cell_serve((int)number("--serve", argv[2], MAX_FD - 1));
    if (argc == 4 && strcmp(argv[1], "--probe") == 0)
        return probe(argv[2], argv[3]);
    read_order(&order, argc, argv);

    (void)setsid();                      /* a process group of its own; fails harmlessly if it leads one already */
    reset_signals();
    clean_files(order.keep);
    umask(022);
    set_limits(&order);
    close_in(&order);
#ifdef __linux__
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);       /* the grader is gone: so are we (who becomes another user
                                                              must ask for it anew) */
    if (order.fixed)
        /* Some containers forbid it; traces hold no addresses anyway. */
        (void)personality(ADDR_NO_RANDOMIZE);
#endif
    if (order.confined)
        (void)confine(&order);           /* where it cannot be had, --check says so, and so does the result */

    execv(order.program[0], order.program);
    fail("cannot run", order.program[0]);
}
