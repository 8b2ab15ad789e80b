/* filter.h - a filter that the kernel runs before every system call, written one instruction after the other.
 *
 * Whoever includes this has a filter of its own to write. Where the kernel or the processor has no such thing,
 * FILTER_ARCH is not defined.
 */
#ifndef KIT_FILTER_H
#define KIT_FILTER_H

#if defined(__linux__) && defined(__x86_64__)
#include <linux/audit.h>
#define FILTER_ARCH AUDIT_ARCH_X86_64
#elif defined(__linux__) && defined(__aarch64__)
#include <linux/audit.h>
#define FILTER_ARCH AUDIT_ARCH_AARCH64
#endif

#ifdef FILTER_ARCH

#include <errno.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct sock_filter filter[160];
static unsigned short filter_length;

static void put(uint16_t code, uint32_t k, uint8_t if_true, uint8_t if_false)
{
    if (filter_length == sizeof filter / sizeof filter[0])
        abort();
    filter[filter_length++] = (struct sock_filter){code, if_true, if_false, k};
}

/* One instruction each, so that jumps can be counted by eye. `skip` is how many instructions a "no" leaps over. */
static void load(size_t offset) { put(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0); }
static void equal(uint32_t value, uint8_t skip) { put(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip); }
static void any_bit(uint32_t bits, uint8_t skip) { put(BPF_JMP | BPF_JSET | BPF_K, bits, 0, skip); }
static void allow(void) { put(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0); }
static void deny(int error) { put(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error, 0, 0); }

enum {   /* where the (little-endian) lower half of an argument lies */
    NUMBER = offsetof(struct seccomp_data, nr),
    ARG_0 = offsetof(struct seccomp_data, args[0]),
    ARG_2 = offsetof(struct seccomp_data, args[2]),
};

static void deny_call(int number, int error)
{
    equal((uint32_t)number, 1);
    deny(error);
}

/* Allows signals to oneself only, threads but no processes, and the limits there are. The number of the call has been
 * loaded. (clone3 is the launcher's to deny, to whoever copies itself, too.) */
static inline void put_alone(void)
{
#ifdef __NR_fork
    deny_call(__NR_fork, EPERM);
    deny_call(__NR_vfork, EPERM);
#endif
    deny_call(__NR_setsid, EPERM);              /* nobody leaves the process group that is killed at the end */
    deny_call(__NR_setpgid, EPERM);

    deny_call(__NR_setrlimit, EPERM);
    equal(__NR_prlimit64, 6);                   /* reading limits is fine; root could also lift them */
    load(ARG_2);
    equal(0, 3);
    load(ARG_2 + 4);
    equal(0, 1);
    allow();
    deny(EPERM);

    /* The first argument of each is a process id, and ours stays what it is. */
    static const int signals[] = {__NR_kill, __NR_tgkill, __NR_rt_sigqueueinfo, __NR_rt_tgsigqueueinfo};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        equal((uint32_t)signals[i], 4);
        load(ARG_0);
        equal((uint32_t)getpid(), 1);
        allow();
        deny(EPERM);
    }

    /* What LeakSanitizer's helper is made with: it shares all memory and only looks at the threads' stacks. */
    static const uint32_t leak_checker = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_UNTRACED;
    equal(__NR_clone, 8);
    load(ARG_0);
    any_bit(CLONE_VFORK, 1);
    deny(EPERM);
    any_bit(CLONE_THREAD, 1);
    allow();
    equal(leak_checker, 1);
    allow();
    deny(EPERM);
}

/* Takes effect for this process and for ever, beside the filters it has already. False where the kernel refuses. */
static inline bool filter_install(void)
{
    struct sock_fprog program = {filter_length, filter};
    /* SPEC_ALLOW: the slow guard against speculation, on by default on old kernels, guards nothing here. */
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           (syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) == 0 ||
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0);
}

#endif
#endif
