/* main.c - runs a warm-up. It belongs to the kit: you do not change it.
 *
 * A warm-up is compiled into a file of its own, which this program loads when it runs:
 *     main run part.so
 */
#define _GNU_SOURCE
#include "warmup.h"

#include "kit.h"
#include "runtime/outside/record.h"
#include "trace/trace.h"

#include <dlfcn.h>

/* All names that warm-ups ask for: whoever takes one out of his file has no misspelt setting. */
static const char *const names[] = {"n", "ms", "limit", "fails", "key"};

int given(const char *name, int otherwise)
{
    return (int)kit_setting(name, otherwise);
}

int now_ms(void)
{
    return (int)(co_now() / CO_MS(1));
}

static void report(const char *name, const char *value)
{
    co_report_bytes(name, value, strlen(value));
}

static int run(void *job)
{
    const struct kit_run *words = job;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)given(names[i], 0);
    void *part = words->n == 1 ? dlopen(words->urls[0], RTLD_NOW | RTLD_LOCAL) : NULL;
    int (*fn)(void) = part ? (int (*)(void))(uintptr_t)dlsym(part, "warmup") : NULL;
    Dl_info place;
    if (!fn || !dladdr((void *)(uintptr_t)fn, &place)) {
        fprintf(stderr, "not loaded: %s\n", words->n == 1 ? dlerror() : "expected one file");
        return -ENOEXEC;
    }
    source_line_also(words->urls[0], place.dli_fbase);
    report("start", "{}");
    int rc = fn();
    char result[32];
    snprintf(result, sizeof result, "{\"rc\":%d}", rc);
    report("result", result);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct kit_mode modes[] = {{"run", run, "one warm-up: its file follows"}, {0}};
    return kit_main(argc, argv, "00-warmups", modes);
}
