/* stack.h - the stacks that tasks run on: pooled, guarded, cheap to touch. */
#ifndef STACK_H
#define STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The last few bytes of every stack; the task's first frame lies right below. */
struct stack {
    struct stack *next;     /* in the pool: the one returned before it; NULL: none    */
    char *low;              /* its lowest byte; right below lies the guard            */
    size_t size;            /* usable bytes from `low` up to this struct              */
    struct callback *callbacks; /* what is called when that ends; NULL: nothing       */
    struct binding *bindings;   /* its task-local values; NULL: none set              */
    uint32_t valgrind;      /* valgrind's number for it                               */
    bool used;              /* some task ran on it                                    */
    bool guarded;           /* false: only the canary at `low` tells of an overflow   */
};

struct slab;

struct stack_pool {
    struct stack *free;     /* last in, first out: the newest is still in the cache   */
    struct slab *slabs;     /* what was mapped, newest first                          */
    size_t size;            /* bytes of one stack, a multiple of the page             */
    size_t page;
    size_t next_slab;       /* how many stacks the next slab holds                    */
    size_t made;            /* how many there are                                     */
    size_t spare;           /* free ones that no task was promised                    */
    bool light_guards;      /* MADV_GUARD_INSTALL works: a guard without a mapping    */
    bool canaries;          /* some stacks have no guard, but a canary                */
};

/* Prepares an empty pool of stacks of at least `size` bytes. */
void stack_pool_init(struct stack_pool *pool, size_t size);

/* Unmaps all of them; none may be in use. */
void stack_pool_free(struct stack_pool *pool);

/* Maps more stacks into an empty pool. 0 or -ENOMEM. */
int stack_pool_grow(struct stack_pool *pool);

/* Sets one aside for stack_claim, which then cannot fail. False without memory. */
static inline bool stack_promise(struct stack_pool *pool)
{
    if (pool->spare == 0 && stack_pool_grow(pool) < 0)
        return false;
    pool->spare--;
    return true;
}

/* The one that was promised. */
static inline struct stack *stack_claim(struct stack_pool *pool)
{
    struct stack *stack = pool->free;
    pool->free = stack->next;
    stack->used = true;
    return stack;
}

/* A stack from the pool, or NULL without memory. */
static inline struct stack *stack_take(struct stack_pool *pool)
{
    return stack_promise(pool) ? stack_claim(pool) : NULL;
}

/* Gives it back. The caller may still be running on it, until it switches away. */
static inline void stack_return(struct stack_pool *pool, struct stack *stack)
{
    stack->next = pool->free;
    pool->free = stack;
    pool->spare++;
}

/* Is addr in the guard of this stack? */
bool stack_overflowed(const struct stack_pool *pool, const struct stack *stack, const void *addr);

/* Without a guard page: was the lowest word overwritten? */
bool stack_canary_dead(const struct stack *stack);

#endif
