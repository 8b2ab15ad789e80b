/* launch.c - sets one process up for a program nobody trusts yet, and becomes that program.
 *
 *     launch [OPTION]... -- PROGRAM [ARGUMENT]...
 *
 *     --cpu SECONDS       processor time: SIGXCPU at the limit, SIGKILL a second later
 *     --memory BYTES      address space (not for sanitizer builds: their shadow memory is huge)
 *     --file BYTES        the largest file it may write: SIGXFSZ beyond
 *     --confine           no new processes, no network, no signals to others, no privileges of root
 *     --forks             with --confine: it may copy itself, and the copies shut themselves in (kit/forks.h)
 *     --fixed-addresses   the same addresses in every run
 *     --keep-fd N         keep this open file (below 256); all others above 2 are closed
 *     launch --check      prints how well --confine works on this machine: "seccomp" or "rlimits"
 *
 * Everything set here survives exec, which is why this can be a program of its own: it sets its own
 * limits and then turns into the program, keeping its process id. Whoever started it (process.py) does what
 * only a second process can: reading the output and watching the clock on the wall.
 *
 * Exits with 125 when it cannot do its work, with one line on stderr. Otherwise it does not exit: it is the program
 * then.
 */
#define _GNU_SOURCE
#include "kit/filter.h"

#include <errno.h>
#include <fcntl.h>
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

enum { CANNOT_LAUNCH = 125, MAX_FD = 256, STACK = 8 << 20 };

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
    {__NR_tkill, EPERM},
    {__NR_pidfd_send_signal, EPERM},
    {__NR_process_vm_writev, EPERM},
    {__NR_socket, EACCES},               /* a lab program in the virtual world has no network */
    {__NR_io_uring_setup, ENOSYS},       /* would make sockets behind the filter's back */
    {__NR_unshare, EPERM},
    {__NR_setns, EPERM},
    {__NR_mount, EPERM},
    {__NR_umount2, EPERM},
    {__NR_swapon, EPERM},
    {__NR_reboot, EPERM},
    {__NR_kexec_load, EPERM},
};

/* forks: it makes copies of itself, which shut themselves in. */
static void write_filter(bool forks)
{
    filter_length = 0;
    load(offsetof(struct seccomp_data, arch));
    equal(FILTER_ARCH, 1);                      /* another architecture's numbers mean other calls */
    put(BPF_JMP | BPF_JA, 1, 0, 0);
    deny(ENOSYS);

    load(NUMBER);
#ifdef __x86_64__
    put(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1);      /* x32: the same calls under other numbers */
    deny(ENOSYS);
#endif
    for (size_t i = 0; i < sizeof denied / sizeof denied[0]; i++)
        deny_call(denied[i].number, denied[i].error);

    if (!forks)
        put_alone();
    allow();                                    /* everything else */
}

/* Takes effect for this process and for ever. Returns false where the kernel has no such thing. */
static bool confine(bool forks)
{
    /* Root without capabilities is an ordinary user who owns many files. Files stay reachable (DAC_OVERRIDE is 1),
     * because a container's work folder may belong to someone else. Fails harmlessly when we are not root. */
    for (int capability = 0; capability < 64; capability++) {
        if (capability != 1)
            (void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    }
    write_filter(forks);
    return filter_install();
}

#else

static bool confine(bool forks)
{
    (void)forks;
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

int main(int argc, char **argv)
{
    long long cpu = -1, memory = -1, file = -1;
    bool confined = false, forks = false, fixed = false, keep[MAX_FD] = {false};

    int i = 1;
    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        const char *option = argv[i];
        if (strcmp(option, "--check") == 0)
            return puts(confine(false) ? "seccomp" : "rlimits") < 0;
        else if (strcmp(option, "--confine") == 0)
            confined = true;
        else if (strcmp(option, "--forks") == 0)
            forks = true;
        else if (strcmp(option, "--fixed-addresses") == 0)
            fixed = true;
        else if (strcmp(option, "--cpu") == 0)
            cpu = number(option, argv[++i], 1000000);
        else if (strcmp(option, "--memory") == 0)
            memory = number(option, argv[++i], INT64_MAX);
        else if (strcmp(option, "--file") == 0)
            file = number(option, argv[++i], INT64_MAX);
        else if (strcmp(option, "--keep-fd") == 0)
            keep[number(option, argv[++i], MAX_FD - 1)] = true;
        else
            fail("does not know the option", option);
    }
    if (i + 1 >= argc)
        fail("needs", "-- PROGRAM [ARGUMENT]...");
    char **program = argv + i + 1;

    (void)setsid();                      /* a process group of its own; fails harmlessly if it leads one already */
    reset_signals();
    clean_files(keep);
    umask(022);

    limit(RLIMIT_CORE, 0, 0, "core dumps");
    limit(RLIMIT_STACK, STACK, RLIM_INFINITY, "the stack");      /* where it ends decides what lies where */
    limit(RLIMIT_NOFILE, MAX_FD, MAX_FD, "open files");
    if (cpu >= 0)
        limit(RLIMIT_CPU, (rlim_t)cpu, (rlim_t)cpu + 1, "processor time");
    if (file >= 0)
        limit(RLIMIT_FSIZE, (rlim_t)file, (rlim_t)file, "file size");
    if (memory >= 0)
        limit(RLIMIT_AS, (rlim_t)memory, (rlim_t)memory, "memory");

#ifdef __linux__
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);       /* the grader is gone: so are we */
    if (fixed)
        /* Some containers forbid it; traces hold no addresses anyway. */
        (void)personality(ADDR_NO_RANDOMIZE);
#else
    (void)fixed;
#endif
    if (confined)
        (void)confine(forks);            /* where it cannot be had, --check says so, and so does the result */

    execv(program[0], program);
    fail("cannot run", program[0]);
}
