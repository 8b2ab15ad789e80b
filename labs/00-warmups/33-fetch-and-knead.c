/* 33 - Each picture is fetched (which waits) and unpacked (which computes for 100 ms). Fetched together and
 * unpacked on the loop, the unpacking queues up and holds up everybody. On workers it overlaps as well. */
#include "warmup.h"

static int unpack(void *job)
{
    co_cpu(CO_MS(100));
    return *(int *)job * 10;
}

static int get_picture(void *job)
{
    char url[64];
    CO_RESPONSE(resp);
    snprintf(url, sizeof url, "http://album.test/%d", *(int *)job);
    int rc = co_http_get(url, &resp);
    /* TODO: when it has been fetched, unpack it on a worker; its result goes into rc */
    (void)unpack;
    printf("%d ms: picture %d: %d\n", now_ms(), *(int *)job, rc);
    return rc < 0 ? rc : 0;
}

int warmup(void)
{
    int pictures[] = {1, 2, 3};
    return co_gather(get_picture, pictures, 3, sizeof pictures[0], NULL);
}
