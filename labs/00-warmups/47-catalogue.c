/* 47 - A long list comes in pages, and each says where the next one is. How many there are nobody knows
 * beforehand: the last one is the one that names no other. Follow the header, and do not count. */
#include "warmup.h"

int warmup(void)
{
    char url[64] = "http://shop.test/list";
    int pages = 0;
    while (true) {
        CO_RESPONSE(resp);
        int rc = co_http_get(url, &resp);
        if (rc < 0)
            return rc;
        printf("%d ms: %s\n", now_ms(), resp.body);
        pages++;
        /* TODO: on to the page that the header X-More names, or out of the loop if there is none */
        if (pages == 1)
            break;
    }
    printf("%d ms: %d pages\n", now_ms(), pages);
    return 0;
}
