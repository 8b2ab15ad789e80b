/* main.c - runs the function of STEM.c and reports what it found. It belongs to the kit: you do not change it.
 *
 *     make run LAB=NN                      total_length on all URLs of the world (WORLD=mixed.json)
 *
 * It takes these settings, too (SET="delay=250ms poison=90"):
 *     delay=250ms   the call is made then, not at 0        poison=90   fresh memory holds no zeros
 */
#include "STEM.h"
#include "kit.h"

/* "start": the student's function is called at this instant. "result": it has returned, and with what. */
static int call_total(void *job)
{
    const struct kit_run *run = job;
    size_t total = SIZE_MAX;    /* no sum of lengths: -1 in the report, so a total that nobody stored shows */

    kit_report_call("start", json_pack("{s:I}", "n", (json_int_t)run->n), run);
    int rc = total_length(run->urls, run->n, &total);
    kit_report_call("result", json_pack("{s:i, s:I}", "rc", rc, "total", (json_int_t)total), run);
    return rc;
}

static int run_total(void *job)
{
    return kit_calls(call_total, job);
}

int main(int argc, char **argv)
{
    static const struct kit_mode modes[] = {
        {"total", run_total, "how long all pages are together"},
        {0},
    };
    return kit_main(argc, argv, "NN-slug", modes);
}
