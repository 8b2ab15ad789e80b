/* 41 - The shelf holds three books; a fourth one takes the place of the book that nobody has used for longest
 * (LRU). For that each use must be noted, also when the book was there. See which walks to the cellar that saves. */
#include "warmup.h"

static struct { char title; int used; } shelf[3];
static int uses;

static int read_book(char title)
{
    int oldest = 0;
    for (int i = 0; i < 3; i++) {
        if (shelf[i].title == title) {
            shelf[i].used = ++uses;
            printf("%d ms: %c was there\n", now_ms(), title);
            return 0;
        }
        oldest = shelf[i].used < shelf[oldest].used ? i : oldest;
    }
    int rc = co_sleep(CO_SEC(60));
    printf("%d ms: %c from the cellar\n", now_ms(), title);
    shelf[oldest].title = title;
    shelf[oldest].used = ++uses;
    return rc;
}

int warmup(void)
{
    int rc = 0;
    for (const char *wish = given("n", 1) == 1 ? "ABCADACB" : "ABBCADB"; *wish && rc == 0; wish++)
        rc = read_book(*wish);
    return rc;
}
