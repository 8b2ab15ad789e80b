/* 16 - A cancelled task cannot wait, so how does it save? Under a shield a cancellation waits until the shield
 * ends. Only the saving belongs there. See it saved 200 ms after the cancel, and the task still say that it was
 * cancelled. */
#include "warmup.h"

static int save(void)
{
    int rc = co_sleep(CO_MS(given("ms", 200)));
    printf("%d ms: %s\n", now_ms(), rc < 0 ? "not saved" : "saved");
    return rc;
}

static int edit(void *job)
{
    struct co_shield shield;
    int rc = co_sleep(CO_SEC(3600));
    co_shield_begin(&shield);
    (void)!save();
    co_shield_end(&shield);
    return rc;
}

int warmup(void)
{
    int end = 0;
    CO_GROUP(desk);
    co_task *editor = co_spawn(&desk, edit, NULL);
    int rc = co_sleep(CO_SEC(90));
    co_cancel(editor);
    rc = rc < 0 ? rc : co_await(editor, &end);
    printf("%d ms: %s\n", now_ms(), end < 0 ? co_strerror(end) : "finished");
    return rc;
}
