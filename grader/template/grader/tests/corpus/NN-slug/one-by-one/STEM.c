#include "STEM.h"

int total_length(const char *const urls[], size_t n, size_t *total)
{
    *total = 0;
    for (size_t i = 0; i < n; i++) {
        struct co_response resp;
        if (co_http_get(urls[i], &resp) == 0)
            *total += resp.length;
        co_response_free(&resp);
    }
    return 0;
}
