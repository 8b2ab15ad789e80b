/* context.h - a suspended flow of control: where its stack stood when it was left.
 *
 * Four ways to switch, the same two calls: switch_x86_64.S, switch_aarch64.S, switch_wasm.c, and switch_ucontext.c
 * for everything else (or with -DCO_UCONTEXT). A switch saves what the C ABI says a function must keep, on the stack
 * being left, and nothing more. The floating-point modes (rounding, traps) are the loop's affair: modes.h.
 */
#ifndef CONTEXT_H
#define CONTEXT_H

#if !defined(CO_UCONTEXT) && !defined(__wasm__) \
    && !((defined(__x86_64__) || defined(__aarch64__)) && defined(__linux__))
#define CO_UCONTEXT 1
#endif

struct context {
    void *sp;       /* the stack pointer while it does not run; what it points at is the switch's affair */
};

/* Leaves the running flow in *from and goes on with *to. Returns when somebody switches back: what that one gave as
 * `value`. (So who waits need not look up anything afterwards, and its call of this can be a jump.) */
int co__switch(struct context *from, struct context *to, int value);

/* The same for a flow that nobody will switch back to. Never returns; it has a
 * type so that a call of it can be a jump. */
int co__jump(struct context *to, int value);

/* Leaves the running flow in *from and begins a new one: entry(arg), on the stack that ends at `top`, a multiple
 * of 16. entry never returns. Returns when somebody switches back, as co__switch. */
int co__switch_new(struct context *from, void *top, void (*entry)(void *), void *arg);

#endif
