/* filter.h - what the kernel refuses a program that is shut in. */
#ifndef KIT_FILTER_H
#define KIT_FILTER_H

#include "runtime/outside/filter.h"

#ifdef FILTER_ARCH

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/prctl.h>

static inline void deny_call(int number, int error)
{
    equal((uint32_t)number, 1);
    deny(error);
}

/* Denies a call where the lower half of that argument is one of n values. The number of the call has been loaded, and
 * is again afterwards. */
static inline void deny_values(int number, size_t argument, const uint32_t values[], uint8_t n, int error)
{
    equal((uint32_t)number, (uint8_t)(2 * n + 2));
    load(argument);
    for (uint8_t i = 0; i < n; i++) {
        equal(values[i], 1);
        deny(error);
    }
    load(NUMBER);
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

    /* It ends when the grader does; and nobody else gets its signals when a file or a socket has something to say. */
    static const uint32_t its_end[] = {PR_SET_PDEATHSIG}, owners[] = {F_SETOWN, F_SETSIG, 15 /* F_SETOWN_EX */},
        sockets_owners[] = {0x8901 /* FIOSETOWN */, 0x8902 /* SIOCSPGRP */, 0x5412 /* TIOCSTI */};
    deny_values(__NR_prctl, ARG_0, its_end, 1, EPERM);
    deny_values(__NR_fcntl, ARG_1, owners, 3, EPERM);
    deny_values(__NR_ioctl, ARG_1, sockets_owners, 3, EPERM);

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

#endif
#endif
