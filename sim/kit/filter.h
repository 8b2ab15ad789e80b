/* filter.h - what the kernel refuses a program that is shut in. */
#ifndef KIT_FILTER_H
#define KIT_FILTER_H

#include "runtime/outside/filter.h"

#ifdef FILTER_ARCH

#include <linux/sched.h>

static inline void deny_call(int number, int error)
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

#endif
#endif
