/* guard.c - what ends a program, or never ends: calls of exit, signals, loops. */
#define _GNU_SOURCE
#include "explore/search/search.h"
#include "explore/search/snapshot.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

enum { HANDLER_STACK = 64 * 1024, TICKS_MOST = 8, TICK_US = 250000 };

void guard_exit(int code)
{
    for (;;)
        syscall(SYS_exit_group, code);
}

/* ---- Calls that end a program --------------------------------------------------------------------- */

void __real_exit(int code) __attribute__((noreturn));
void __wrap_exit(int code) __attribute__((noreturn));
void __wrap__exit(int code) __attribute__((noreturn));
void __wrap__Exit(int code) __attribute__((noreturn));
void __wrap_quick_exit(int code) __attribute__((noreturn));
int __wrap_fork(void);

static void ends(int code, const void *pc)
{
    if (!search || !search->active)
        return;
    run_end_step();
    run_find(WRONG_EXIT, code, pc, "");
    run_over();
}

void __wrap_exit(int code)
{
    ends(code, CALLER);
    __real_exit(code);
}

void __wrap__exit(int code)
{
    ends(code, CALLER);
    guard_exit(code);
}

void __wrap__Exit(int code)
{
    ends(code, CALLER);
    guard_exit(code);
}

void __wrap_quick_exit(int code)
{
    ends(code, CALLER);
    guard_exit(code);
}

/* No order of tasks is one of processes. */
int __wrap_fork(void)
{
    ends(0, CALLER);
    return (int)syscall(SYS_getpid) ? -1 : 0;
}

/* ---- Signals ------------------------------------------------------------------------------------- */

/* The instruction that faulted, as if a call returned there; of a call through a null pointer the call. */
static const void *faulting_place(const ucontext_t *context)
{
#if defined(__x86_64__)
    const greg_t *registers = context->uc_mcontext.gregs;
    return registers[REG_RIP] ? (const char *)registers[REG_RIP] + 1 : *(const char *const *)registers[REG_RSP];
#elif defined(__aarch64__)
    const char *pc = (const char *)context->uc_mcontext.pc;
    return pc ? pc + 1 : (const char *)context->uc_mcontext.regs[30];
#else
    return (void)context, NULL;
#endif
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    if (number == SIGSEGV && snapshot_written(search->snapshot, info->si_addr))
        return;
    search->crash = number;
    search->overflowed = number == SIGSEGV && snapshot_is_stack(info->si_addr);
    search->crashed_at = search->looks_at ? search->looks_at : faulting_place(context);
    search->looks_at = NULL;
    guard_exit(1);
}

/* A quarter of a second of the processor's time has gone by. So many of them in one run are without end: a loop in
 * which the compiler saw no block, or one in the C library. */
static void on_tick(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info;
    search->ticks = search->active && search->ticked_in == search->orders ? search->ticks + 1 : 0;
    search->ticked_in = search->orders;
    if (search->ticks < TICKS_MOST)
        return;
    search->endless = true;
    search->crashed_at = faulting_place(context);
    guard_exit(1);
}

static void begin_ticking(void)
{
    struct sigaction action = {.sa_sigaction = on_tick, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    struct itimerval tick = {{0, TICK_US}, {0, TICK_US}};
    sigemptyset(&action.sa_mask);
    sigaction(SIGPROF, &action, NULL);
    setitimer(ITIMER_PROF, &tick, NULL);
}

void guard_begin(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    stack_t own = {.ss_size = HANDLER_STACK, .ss_sp = mmap(NULL, HANDLER_STACK, PROT_READ | PROT_WRITE,
                                                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)};
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    if (own.ss_sp != MAP_FAILED)
        sigaltstack(&own, NULL);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaction(signals[i], &action, NULL);
    search->ticks = 0;
    begin_ticking();
}

/* ---- Loops ---------------------------------------------------------------------------------------- */

/* Called by the compiler's code at the beginning of each basic block. */
void __sanitizer_cov_trace_pc(void);

void __sanitizer_cov_trace_pc(void)
{
    if (search && search->active && search->budget-- == 0)
        explore_faulted(WRONG_ENDLESS, CALLER);
}
