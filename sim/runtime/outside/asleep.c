/* asleep.c - sleep that no name gives away: a system call made by syscall() or by hand, or a function of the C library
 * that was found at run time. The kernel's filter (seccomp) sends a signal in the place of each call that could put the
 * thread to sleep. Its handler does what the caught calls of blocking.c do: a plain sleep takes virtual time, any other
 * wait is made in earnest, and either is told, with the line.
 */
#define _GNU_SOURCE
#include "runtime/outside/asleep.h"
#include "runtime/outside/blocking.h"
#include "runtime/outside/filter.h"

#ifdef FILTER_ARCH

#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#ifdef __x86_64__
#define REGISTERS(context) ((context)->uc_mcontext.gregs)
enum { RESULT = REG_RAX, PC = REG_RIP, SP = REG_RSP };
static const int ARGUMENT[] = {REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9};
#else
/* regs[31] is the stack pointer, and the pc follows it. */
#define REGISTERS(context) ((long long *)(context)->uc_mcontext.regs)
enum { RESULT = 0, SP = 31, PC = 32 };
static const int ARGUMENT[] = {0, 1, 2, 3, 4, 5};
#endif

/* Calls that sleep. `limit`: the argument (from 0) that is 0 where the call only looks; -1: it has none. `span`: the
 * one that points to a time limit, which may be 0 seconds; -1: none does. */
static const struct { int number, limit, span; const char *name; } SLEEPS[] = {
    {__NR_nanosleep, -1, 0, "nanosleep"},
    {__NR_clock_nanosleep, -1, 2, "clock_nanosleep"},
    {__NR_ppoll, -1, 2, "ppoll"},
    {__NR_pselect6, -1, 4, "pselect"},
    {__NR_epoll_pwait, 3, -1, "epoll_pwait"},
    {__NR_rt_sigtimedwait, -1, 2, "sigtimedwait"},
    {__NR_rt_sigsuspend, -1, -1, "sigsuspend"},
    {__NR_semtimedop, -1, 3, "semtimedop"},
    {__NR_futex, 3, 3, "futex"},           /* without a limit it is a lock of the C library's */
#ifdef __NR_epoll_pwait2
    {__NR_epoll_pwait2, -1, 3, "epoll_pwait2"},
#endif
#ifdef __x86_64__
    {__NR_poll, 2, -1, "poll"},
    {__NR_select, -1, 4, "select"},
    {__NR_epoll_wait, 3, -1, "epoll_wait"},
    {__NR_pause, -1, -1, "pause"},
#endif
};
enum { SLEEPS_N = sizeof SLEEPS / sizeof *SLEEPS };

/* ---- The call in earnest ---------------------------------------------------------------------------------- */

#ifdef __x86_64__
__asm__(".text\n.globl co__asleep_call\n.hidden co__asleep_call\n.type co__asleep_call, @function\n"
        "co__asleep_call:\n mov %rdi, %rcx\n mov %rsi, %rax\n mov (%rcx), %rdi\n mov 8(%rcx), %rsi\n"
        " mov 16(%rcx), %rdx\n mov 24(%rcx), %r10\n mov 32(%rcx), %r8\n mov 40(%rcx), %r9\n syscall\n"
        ".globl co__asleep_called\n.hidden co__asleep_called\nco__asleep_called:\n ret\n"
        ".size co__asleep_call, . - co__asleep_call\n");
#else
__asm__(".text\n.globl co__asleep_call\n.hidden co__asleep_call\n.type co__asleep_call, %function\n"
        "co__asleep_call:\n mov x9, x0\n mov x8, x1\n ldp x0, x1, [x9]\n ldp x2, x3, [x9, #16]\n"
        " ldp x4, x5, [x9, #32]\n svc #0\n"
        ".globl co__asleep_called\n.hidden co__asleep_called\nco__asleep_called:\n ret\n"
        ".size co__asleep_call, . - co__asleep_call\n");
#endif

/* ---- The handler ------------------------------------------------------------------------------------------ */

/* The program's line that waits: where the call was made or, for one in a library, what it returns to. */
static const void *caller(const long long *registers)
{
    extern const char __executable_start[], etext[];
    enum { FAR = 64 };
    uintptr_t pc = (uintptr_t)registers[PC], sp = (uintptr_t)registers[SP], begin = (uintptr_t)__executable_start;
    size_t size = (uintptr_t)etext - begin;
    for (int i = 0; pc - begin >= size && i < FAR; i++, sp += sizeof pc) {
        memcpy(&pc, (const void *)sp, sizeof pc);       /* up to its main function a stack holds more than that */
    }
    return (const void *)(pc - begin < size ? pc : (uintptr_t)registers[PC]);
}

/* A plain sleep, which takes virtual time. False: it is none, or one that the kernel will refuse. */
static bool sleeps_for(int number, const long arguments[6], const struct timespec *span, const char *name,
                       const void *pc)
{
    if ((number != __NR_nanosleep && number != __NR_clock_nanosleep) || !span || is_wrong(span))
        return false;
    bool until = number == __NR_clock_nanosleep && (arguments[1] & TIMER_ABSTIME);
    stop_loop(until ? ns_until((clockid_t)arguments[0], span) : from_timespec(span), name, pc);
    return true;
}

/* In earnest. Returns the result, and says that the loop stood still if the call may have waited. */
static long sleep_by_machine(int number, const long arguments[6], const struct timespec *span, const char *name,
                             const void *pc)
{
    bool looks = span && span->tv_sec == 0 && span->tv_nsec == 0;
    long result = co__asleep_call(arguments, number);
    if (!looks && (result >= 0 || result == -EINTR || result == -ETIMEDOUT || result == -EAGAIN))
        co__report_blocked_by_machine(name, pc);
    return result;
}

/* Of a futex call only waiting sleeps; to the others the fourth argument is no pointer. */
static bool may_sleep(int number, const long arguments[6])
{
    int operation = (int)arguments[1] & FUTEX_CMD_MASK;
    return number != __NR_futex || operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET;
}

static void on_sleep(int signal_number, siginfo_t *info, void *context)
{
    long long *registers = REGISTERS((ucontext_t *)context);
    long arguments[6];
    int number = info->si_syscall, error = errno, k = 0;
    (void)signal_number;
    for (int i = 0; i < 6; i++)
        arguments[i] = (long)registers[ARGUMENT[i]];
    while (k < SLEEPS_N - 1 && SLEEPS[k].number != number)
        k++;
    const struct timespec *span = SLEEPS[k].span < 0 ? NULL : (const void *)arguments[SLEEPS[k].span];
    const char *name = SLEEPS[k].name;
    if (!simulated() || !co__loop->current || co__loop->caught || !may_sleep(number, arguments))
        registers[RESULT] = co__asleep_call(arguments, number);
    else if (sleeps_for(number, arguments, span, name, caller(registers)))
        registers[RESULT] = 0;
    else
        registers[RESULT] = sleep_by_machine(number, arguments, span, name, caller(registers));
    errno = error;
}

/* ---- The filter ------------------------------------------------------------------------------------------- */

static void write_filter(void)
{
    uint64_t called = (uint64_t)(uintptr_t)co__asleep_called;
    filter_length = 0;
    load(offsetof(struct seccomp_data, instruction_pointer));
    equal((uint32_t)called, 3);
    load(offsetof(struct seccomp_data, instruction_pointer) + 4);
    equal((uint32_t)(called >> 32), 1);
    allow();
    load(NUMBER);
    for (int i = 0; i < SLEEPS_N; i++) {
        bool limited = SLEEPS[i].limit >= 0;
        equal((uint32_t)SLEEPS[i].number, limited ? 4 : 1);
        if (limited) {                  /* the lower half of a pointer in use, and of a number of ms, is not 0 */
            load(offsetof(struct seccomp_data, args[SLEEPS[i].limit]));
            equal(0, 1);
            allow();
        }
        put(BPF_RET | BPF_K, SECCOMP_RET_TRAP, 0, 0);
    }
    allow();
}

void co__asleep_install(void)
{
    static bool looked;
    struct sigaction action = {.sa_sigaction = on_sleep, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    enum { FILTERED = 2 };
    bool first = !looked;
    looked = true;
    if (!first || prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != FILTERED)
        return;
    write_filter();
    sigaction(SIGSYS, &action, NULL);
    (void)filter_install();
}

#else

void co__asleep_install(void)
{
}

#endif
