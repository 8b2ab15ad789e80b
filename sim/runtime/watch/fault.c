/* fault.c - a touch of a stack's guard page gets a report; any other fault, and the end of the computing time that the
 * program may use, leaves a line in the trace and goes its usual way. */
#define _GNU_SOURCE
#include "runtime/state/loop.h"
#include "runtime/state/task.h"
#include "runtime/switch/stack.h"
#include "runtime/watch/fault.h"
#include "runtime/watch/report.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

/* The handler cannot run on the stack that is full: it has one of its own. */
enum { HANDLER_STACK = 64 * 1024 };

static const int SIGNALS[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGXCPU};
enum { SIGNAL_COUNT = sizeof SIGNALS / sizeof *SIGNALS };

static _Thread_local struct sigaction before[SIGNAL_COUNT];
static _Thread_local stack_t before_stack;
static _Thread_local void *handler_stack;

void __gcov_dump(void) __attribute__((weak));

static void restore_signals(void)
{
    for (int i = 0; i < SIGNAL_COUNT; i++)
        sigaction(SIGNALS[i], &before[i], NULL);
}

/* The instruction that faulted, as if a call returned there: source_line looks one byte before. Of a call through a
 * null pointer it is the call. */
static const void *faulting_place(const ucontext_t *context)
{
#if defined(__x86_64__) && defined(__linux__)
    const greg_t *registers = context->uc_mcontext.gregs;
    return registers[REG_RIP] ? (const char *)registers[REG_RIP] + 1 : *(const char *const *)registers[REG_RSP];
#elif defined(__aarch64__) && defined(__linux__)
    const char *pc = (const char *)context->uc_mcontext.pc;
    return pc ? pc + 1 : (const char *)context->uc_mcontext.regs[30];
#else
    (void)context;
    return NULL;
#endif
}

static void trace_crash(struct loop *loop, int signal_number, const void *place)
{
    trace_begin(loop->open_trace, loop->now, TRACE_RUNTIME, "crash");
    trace_int(loop->open_trace, "signal", signal_number);
    trace_src(loop->open_trace, "src", place);
    trace_end(loop->open_trace);
    trace_flush(loop->open_trace);
}

static void on_fault(int signal_number, siginfo_t *info, void *context)
{
    struct loop *loop = co__loop;
    struct co_task *task = loop ? loop->current : NULL;
    restore_signals();                          /* a second fault, in here, is not ours */
    if (task && task->stack && stack_overflowed(&loop->stacks, task->stack, info->si_addr))
        co__report_overflow(loop, faulting_place(context));
    if (loop && loop->open_trace)
        trace_crash(loop, signal_number, faulting_place(context));
    if (__gcov_dump)
        __gcov_dump();                          /* which lines ran is known all the same */
    /* Return: the instruction faults again, and now as usual. What was sent by somebody must be sent again. */
    if (info->si_code <= 0 || signal_number == SIGXCPU)
        raise(signal_number);
}

void co__fault_install(void)
{
    struct sigaction action;
    stack_t own = {.ss_size = HANDLER_STACK};
    handler_stack = own.ss_sp = malloc(HANDLER_STACK);
    if (!own.ss_sp)
        return;                                 /* an overflow will be a bare crash */
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    sigaltstack(&own, &before_stack);
    for (int i = 0; i < SIGNAL_COUNT; i++)
        sigaction(SIGNALS[i], &action, &before[i]);
}

void co__fault_remove(void)
{
    if (!handler_stack)
        return;
    restore_signals();
    if (before_stack.ss_sp == NULL)
        before_stack.ss_flags = SS_DISABLE;
    sigaltstack(&before_stack, NULL);
    free(handler_stack);
    handler_stack = NULL;
}
