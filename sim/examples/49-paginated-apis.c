/* 49 - An API hands out a long list page by page, and each page names the next one: a generator makes one stream of it.
 * Notice that the consumer knows nothing of pages, and that page 3 is never fetched, as the consumer has found what it
 * wanted. asyncio: an async generator around session.get(). */
#include "co.h"

#include <stdio.h>
#include <string.h>

/* Hands out the words of one page. */
static int yield_words(struct co_gen *gen, char *page)
{
    char *rest;
    for (char *word = strtok_r(page, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        int rc = co_gen_yield(gen, word);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int all_words(struct co_gen *gen, void *job)
{
    char url[64];
    snprintf(url, sizeof url, "%s", (const char *)job);
    for (;;) {
        CO_RESPONSE(resp);
        int rc = co_http_get(url, &resp);
        if (rc < 0)
            return rc;
        printf("%3lld ms  %s\n", (long long)(co_now() / CO_MS(1)), url);
        rc = yield_words(gen, resp.body);
        if (rc < 0)
            return rc;
        if (!co_response_header(&resp, "X-Next", url, sizeof url))
            return 0;                           /* that was the last page */
    }
}

static int find_word(void *job)
{
    void *word;
    int rc, place = 0;
    CO_GEN(words, all_words, "http://words.test/animals");
    while ((rc = co_gen_next(&words, &word)) > 0) {
        place++;
        if (strcmp(word, "ferret") == 0) {
            printf("%3lld ms  the %dth word is %s\n", (long long)(co_now() / CO_MS(1)), place, (const char *)word);
            return 0;
        }
    }
    return rc;
}

int main(void)
{
    struct co_options options = {.world_file = "sim/examples/49-paginated-apis.json"};
    return co_run(find_word, NULL, &options) < 0;
}
