/* fault.c - a touch of a stack's guard page gets a report; any other fault goes its usual way. */
#define _GNU_SOURCE
#include "runtime.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* The handler cannot run on the stack that is full: it has one of its own. */
enum { HANDLER_STACK = 64 * 1024 };

static _Thread_local struct sigaction before_segv, before_bus;
static _Thread_local stack_t before_stack;
static _Thread_local void *handler_stack;

static void on_fault(int signal_number, siginfo_t *info, void *context)
{
    struct loop *loop = co__loop;
    struct co_task *task = loop ? loop->current : NULL;
    (void)context;
    sigaction(SIGSEGV, &before_segv, NULL);     /* a second fault, in here, is not ours */
    sigaction(SIGBUS, &before_bus, NULL);
    if (task && task->stack && stack_overflowed(&loop->stacks, task->stack, info->si_addr))
        co__report_overflow(loop);
    if (loop && loop->trace)
        trace_flush(loop->trace);
    (void)signal_number;                        /* return: the instruction faults again, and now as usual */
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
    sigaction(SIGSEGV, &action, &before_segv);
    sigaction(SIGBUS, &action, &before_bus);
}

void co__fault_remove(void)
{
    if (!handler_stack)
        return;
    sigaction(SIGSEGV, &before_segv, NULL);
    sigaction(SIGBUS, &before_bus, NULL);
    if (before_stack.ss_sp == NULL)
        before_stack.ss_flags = SS_DISABLE;
    sigaltstack(&before_stack, NULL);
    free(handler_stack);
    handler_stack = NULL;
}
