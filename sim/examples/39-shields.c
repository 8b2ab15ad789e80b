/* 39 - A shield keeps a cancellation out while something must not stop half-way; behind it, the cancellation counts
 * again. Notice that both notaries are told to go at 150 ms: one leaves a contract with one signature of three, the
 * other signs on to the end at 300 ms and then goes. asyncio: shield(); there a task, here a block. */
#include "co.h"

#include <stdio.h>

struct notary {
    const char *name;
    bool careful;
    int signatures, contracts;
};

static int sign(struct notary *notary)
{
    notary->signatures = 0;
    while (notary->signatures < 3) {
        int rc = co_sleep(CO_MS(100));
        if (rc < 0)
            return rc;
        notary->signatures++;
    }
    notary->contracts++;
    return 0;
}

static int sign_shielded(struct notary *notary)
{
    struct co_shield shield;
    co_shield_begin(&shield);
    int rc = sign(notary);
    co_shield_end(&shield);
    return rc;
}

static int work(void *job)
{
    struct notary *notary = job;
    int rc = 0;
    while (rc == 0) {
        rc = notary->careful ? sign_shielded(notary) : sign(notary);
        if (rc == 0)
            rc = co_sleep(CO_MS(50));           /* the next one, please: here a cancellation is seen */
    }
    printf("%3lld ms  %s leaves: %d contract(s), the last with %d of 3 signatures\n", (long long)(co_now() / CO_MS(1)),
           notary->name, notary->contracts, notary->signatures);
    return rc;
}

static int office(void *job)
{
    struct notary notaries[] = {{.name = "Otto"}, {.name = "Pia", .careful = true}};
    CO_GROUP(group);
    for (int i = 0; i < 2; i++)
        co_spawn(&group, work, &notaries[i]);
    int rc = co_sleep(CO_MS(150));
    co_group_cancel(&group);
    return rc < 0 ? rc : co_join(&group);
}

int main(void)
{
    return co_run(office, NULL, NULL) < 0;
}
