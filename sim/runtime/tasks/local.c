/* local.c - task-local values: a list of (variable, value) that a new task shares with its parent.
 *
 * The list is never changed, only put together anew, so sharing it costs a counter. (asyncio's contextvars keep a
 * persistent hash trie for the same reason; a program has few such variables, and a list is enough.)
 */
#include "runtime/state/task.h"
#include "runtime/switch/stack.h"
#include "runtime/tasks/local.h"

#include <stdlib.h>

struct binding {
    struct binding *next;
    const struct co_local *local;
    void *value;
    size_t owners;                  /* tasks and bindings that point to it */
};

struct binding *co__bindings_share(struct binding *binding)
{
    if (binding)
        binding->owners++;
    return binding;
}

void co__bindings_drop(struct binding *binding)
{
    while (binding && --binding->owners == 0) {
        struct binding *next = binding->next;
        free(binding);
        binding = next;
    }
}

static struct binding *bind(const struct co_local *local, void *value, struct binding *next)
{
    struct binding *binding = malloc(sizeof *binding);
    if (binding)
        *binding = (struct binding){.next = next, .local = local, .value = value, .owners = 1};
    return binding;
}

/* The list without `local`; the rest behind it is shared. *failed: without memory. */
static struct binding *without(struct binding *list, const struct co_local *local, bool *failed)
{
    struct binding *before = NULL, **end = &before, *at = list;
    while (at && at->local != local)
        at = at->next;
    if (!at)
        return co__bindings_share(list);
    for (struct binding *b = list; b != at; b = b->next) {
        if (!(*end = bind(b->local, b->value, NULL))) {
            *failed = true;
            return before;
        }
        end = &(*end)->next;
    }
    *end = co__bindings_share(at->next);
    return before;
}

int co_local_set(struct co_local *local, void *value)
{
    struct co_task *self = co_current();
    if (!self)
        return -EPERM;
    bool failed = false;
    struct binding *rest = without(self->stack->bindings, local, &failed);
    struct binding *first = failed ? NULL : bind(local, value, rest);
    if (!first) {
        co__bindings_drop(rest);
        return -ENOMEM;
    }
    co__bindings_drop(self->stack->bindings);
    self->stack->bindings = first;
    return 0;
}

void *co_local_get(const struct co_local *local)
{
    struct co_task *self = co_current();
    for (const struct binding *b = self ? self->stack->bindings : NULL; b; b = b->next)
        if (b->local == local)
            return b->value;
    return local->initial;
}
