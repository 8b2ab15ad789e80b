/* 55 - Anti-pattern: to make a success of every failure. Three ways to lose an error: "return 0" after any rc; an
 * array of rcs that nobody reads; co_await with NULL for the result. Notice that each says "all is well" with one
 * vault open, and what the fourth says. asyncio: except Exception: pass; gather(return_exceptions=True), unread. */
#include "co.h"

#include <stdio.h>

static int lock_vault(void *job)
{
    int rc = co_sleep(CO_MS(100));
    if (rc < 0)
        return rc;
    return *(int *)job == 2 ? -EIO : 0;         /* vault 2 has a broken bolt */
}

static int lock_vault_somehow(void *job)
{
    if (lock_vault(job) < 0)
        return 0;                               /* wrong, and it swallows a cancellation, too; right: return rc */
    return 0;
}

static int swallow_inside(int vaults[])
{
    return co_gather(lock_vault_somehow, vaults, 3, sizeof vaults[0], NULL);
}

static int swallow_in_an_array(int vaults[])
{
    int rcs[3];
    return co_gather(lock_vault, vaults, 3, sizeof vaults[0], rcs);     /* right: look at rcs[i] */
}

static int swallow_while_waiting(int vaults[])
{
    CO_GROUP(guards);
    for (int i = 0; i < 3; i++) {
        co_task *task = co_spawn(&guards, lock_vault, &vaults[i]);
        int rc = co_await(task, NULL);          /* right: &task_rc */
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int tell_the_truth(int vaults[])
{
    return co_gather(lock_vault, vaults, 3, sizeof vaults[0], NULL);
}

static int bank(void *job)
{
    static int (*const ways[])(int vaults[]) = {swallow_inside, swallow_in_an_array, swallow_while_waiting,
                                                tell_the_truth};
    static const char *const names[] = {"return 0", "rcs unread", "co_await(task, NULL)", "the truth"};
    int vaults[] = {1, 2, 3};
    for (int i = 0; i < 4; i++) {
        int rc = ways[i](vaults);
        printf("%-21s %s\n", names[i], rc == 0 ? "all is well" : co_strerror(rc));
        if (rc == -ECANCELED)
            return rc;
    }
    return 0;
}

int main(void)
{
    return co_run(bank, NULL, NULL) < 0;
}
