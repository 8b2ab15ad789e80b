/* lab01: sync and async. The async half simply runs the sync one inside a task. */
#include "compare.h"
#include <stdlib.h>

typedef struct Args {
  const char *const *urls;
  size_t n;
  struct fetch_result *out;
} Args;

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[]) {
  for (size_t i = 0; i < n; ++i) {
    struct co_response resp;
    const int rc = http_get_blocking(urls[i], &resp);
    if (rc == 0) {
      out[i] = (struct fetch_result){0, resp.status, resp.length};
      co_response_free(&resp);
    } else {
      out[i] = (struct fetch_result){rc, 0, 0};
    }
  }
  return 0;
}

static int fetch_all(void *p) {
  Args *args = p;
  return fetch_sync(args->urls, args->n, args->out);
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[]) {
  Args args = {urls, n, out};
  CO_GROUP(group);
  co_spawn(&group, fetch_all, &args);
  return co_join(&group);
}

int compare(const char *const urls[], size_t n, struct comparison *report) {
  struct fetch_result *tmp = malloc((n + 1) * sizeof *tmp);
  if (!tmp) return -ENOMEM;

  *report = (struct comparison){.n = n, .speedup = 1.0};
  const int64_t t0 = co_now();
  int rc = fetch_sync(urls, n, tmp);
  const int64_t t1 = co_now();
  if (rc == 0) rc = fetch_async(urls, n, tmp);
  const int64_t t2 = co_now();
  report->sync_ns = t1 - t0;
  report->async_ns = t2 - t1;
  if (t2 > t1) report->speedup = (double)(t1 - t0) / (double)(t2 - t1);
  free(tmp);
  return rc;
}

enum bound explain(const struct comparison *report) {
  if (report->n < 2) return BOUND_UNKNOWN;
  return report->speedup < 1.5 ? BOUND_CPU : BOUND_IO;
}
