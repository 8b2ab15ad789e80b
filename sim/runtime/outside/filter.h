/* filter.h - a filter that the kernel runs before every system call, written one instruction after the other.
 *
 * Whoever includes this has a filter of its own to write. Where the kernel or the processor has no such thing,
 * FILTER_ARCH is not defined.
 */
#ifndef CO_OUTSIDE_FILTER_H
#define CO_OUTSIDE_FILTER_H

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
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct sock_filter filter[400];
static unsigned short filter_length;

static inline void put(uint16_t code, uint32_t k, uint8_t if_true, uint8_t if_false)
{
    if (filter_length == sizeof filter / sizeof filter[0])
        abort();
    filter[filter_length++] = (struct sock_filter){code, if_true, if_false, k};
}

/* One instruction each, so that jumps can be counted by eye. `skip` is how many instructions a "no" leaps over. */
static inline void load(size_t offset) { put(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0); }
static inline void equal(uint32_t value, uint8_t skip) { put(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip); }
static inline void any_bit(uint32_t bits, uint8_t skip) { put(BPF_JMP | BPF_JSET | BPF_K, bits, 0, skip); }
static inline void allow(void) { put(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0); }
static inline void deny(int error) { put(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error, 0, 0); }

enum {   /* where the (little-endian) lower half of an argument lies */
    NUMBER = offsetof(struct seccomp_data, nr),
    ARG_0 = offsetof(struct seccomp_data, args[0]),
    ARG_1 = offsetof(struct seccomp_data, args[1]),
    ARG_2 = offsetof(struct seccomp_data, args[2]),
};

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
