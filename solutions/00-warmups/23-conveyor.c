/* 23 - One task packs, another loads, and a queue between them carries the parcels. An empty queue is not the end:
 * the next parcel may be on its way. So the packer sends a last word that is no parcel, NULL here. */
#include "warmup.h"

static int load(void *job)
{
    int parcels = 0;
    while (true) {
        void *parcel;
        int rc = co_queue_get(job, &parcel);
        if (!parcel)
            break;
        parcels++;
        rc = rc < 0 ? rc : co_sleep(CO_SEC(4));
        if (rc < 0)
            return rc;
        printf("%d ms: %s is loaded\n", now_ms(), (const char *)parcel);
    }
    printf("%d ms: %d parcels, off it goes\n", now_ms(), parcels);
    return 0;
}

int warmup(void)
{
    static char *names[] = {"books", "shoes", "lamp", "chair", NULL};
    int n = given("n", 3), rc = 0;
    CO_QUEUE(belt, 0);
    CO_GROUP(hall);
    co_spawn(&hall, load, &belt);
    for (int i = 0; i <= n && rc == 0; i++) {
        rc = co_sleep(CO_SEC(10));
        rc = rc < 0 ? rc : co_queue_put(&belt, i < n ? names[i] : NULL);
    }
    return rc < 0 ? rc : co_join(&hall);
}
