/* 04 - A task that runs beside the main work, for as long as that takes, and is then told to end.
 * Notice that the writer never calls save: the saver comes by itself, and a last time when it is cancelled.
 * asyncio: create_task(), task.cancel(), await task. */
#include "co.h"

#include <stdio.h>

struct letter {
    int words, saved;
};

static void save(struct letter *letter)
{
    letter->saved = letter->words;
    printf("%4lld ms  saved, %d words\n", (long long)(co_now() / CO_MS(1)), letter->saved);
}

static int keep_saving(void *job)
{
    struct letter *letter = job;
    int rc;
    while ((rc = co_sleep(CO_MS(400))) == 0)
        save(letter);
    save(letter);                               /* cancelled: what came since the last time */
    return rc;
}

static int write_letter(void *job)
{
    struct letter letter = {0};
    CO_GROUP(background);
    co_task *saver = co_spawn(&background, keep_saving, &letter);
    int rc = 0;
    while (rc == 0 && letter.words < 10) {
        rc = co_sleep(CO_MS(150));
        letter.words += rc == 0;
    }
    printf("%4lld ms  finished writing\n", (long long)(co_now() / CO_MS(1)));
    co_cancel(saver);                           /* on every path: it would never end by itself */
    int saver_rc = co_await(saver, NULL);       /* only now may `letter` go: the saver uses it */
    return rc < 0 ? rc : saver_rc;
}

int main(void)
{
    return co_run(write_letter, NULL, NULL) < 0;
}
