/* switch_wasm.c - the switch for WebAssembly, whose call stack no program can see or change: whoever runs the program
 * keeps each flow's stack aside, and goes on with another (grader/page/js/flows.js: by JSPI or Asyncify).
 *
 * What is left to do here is the other stack, of the variables whose address was taken: it lies in memory, and is the
 * program's own affair. So are co__pc and co__stack_low (flow.h).
 */
#include "runtime/switch/context.h"

#ifdef __wasm__

#include "runtime/switch/flow.h"
#include "runtime/switch/stack.h"

#include <stdint.h>

uintptr_t co__pc, co__stack_low;

#define HOST(name) __attribute__((import_module("flow"), import_name(#name)))

/* Leaves the running flow, known by where its context lies, and goes on with another one. Returns what that one is
 * given, when somebody goes on with this flow. */
HOST(go_on) int flow_go_on(struct context *from, struct context *to, int value);
HOST(begin) int flow_begin(struct context *from, void *top, void (*entry)(void *), void *arg);
HOST(end) _Noreturn void flow_end(struct context *to, int value);

__asm__(".globaltype __stack_pointer, i32");

static inline void *stack_pointer(void)
{
    void *sp;
    __asm__ volatile("global.get __stack_pointer\n\tlocal.set %0" : "=r"(sp));
    return sp;
}

static inline void set_stack_pointer(void *sp)
{
    __asm__ volatile("local.get %0\n\tglobal.set __stack_pointer" : : "r"(sp));
}

/* What every flow has of its own. */
struct own {
    void *sp;
    uintptr_t pc, low;
};

static struct own leave(struct context *from)
{
    struct own own = {stack_pointer(), co__pc, co__stack_low};
    from->sp = own.sp;
    return own;
}

static void arrive(struct own own)
{
    set_stack_pointer(own.sp);
    co__pc = own.pc;
    co__stack_low = own.low;
}

int co__switch(struct context *from, struct context *to, int value)
{
    struct own own = leave(from);
    int rc = flow_go_on(from, to, value);
    arrive(own);
    return rc;
}

int co__jump(struct context *to, int value)
{
    flow_end(to, value);
}

int co__switch_new(struct context *from, void *top, void (*entry)(void *), void *arg)
{
    struct own own = leave(from);
    int rc = flow_begin(from, top, entry, arg);
    arrive(own);
    return rc;
}

/* The first call of a flow: by the host, on an empty stack. */
__attribute__((export_name("flow_entry"))) void co__flow_entry(void *top, void (*entry)(void *), void *arg)
{
    co__stack_low = (uintptr_t)((struct stack *)top)->low;
    set_stack_pointer(top);
    entry(arg);
}

#else

/* A unit without a function names, with sanitizers and -g1, the folder that it was compiled in. */
__attribute__((used)) static void nothing(void)
{
}

#endif
