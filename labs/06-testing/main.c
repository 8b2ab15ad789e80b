/* main.c - runs the tests of test_scraper.c. It belongs to the kit: you do not change it.
 *
 *     make run LAB=06                          all tests, on the scraper in scraper.c
 *     make run LAB=06 TEST=one_good_page       only this one (or several names, with blanks between them)
 *     make run LAB=06 FAULT=one_by_one         all tests, on a faulty scraper: which one finds out?
 *
 * All the running is done by co_test_main. What is left is to show the results, and that is cmocka's: for each test that
 * has run already there is a test of cmocka's own, which fails if that one has failed.
 */
#include "co_test.h"

#include <stdio.h>
#include <stdlib.h>

/* What cmocka itself says at the end of a failed assertion: "[   LINE   ] --- test_scraper.c:31: error: Failure!" */
static const char *place_in(const char *said)
{
    const char *place = strstr(said, "[   LINE   ] --- ");
    return place ? place : said + strlen(said);
}

static void show_one(void **state)
{
    const struct co_test_result *result = *state;
    const char *said = result->said ? result->said : "", *place = place_in(said);
    char file[256] = "";
    int line = 0;

    print_error("%.*s", (int)(place - said), said);
    if (strcmp(result->verdict, "passed") == 0)
        return;
    if (strcmp(result->verdict, "assertion") != 0)
        print_error("%s\n", result->verdict);
    if (sscanf(place, "[ LINE ] --- %255[^:]:%d", file, &line) != 2) {
        snprintf(file, sizeof file, "%s", result->test->file);
        line = result->test->line;
    }
    _fail(file, line);
}

static int show(const struct co_test_result results[], size_t n)
{
    struct CMUnitTest *tests = calloc(n + 1, sizeof *tests);
    int failed = -1;
    if (tests) {
        for (size_t i = 0; i < n; i++)
            tests[i] = (struct CMUnitTest){.name = results[i].test->name, .test_func = show_one,
                                           .initial_state = (void *)(uintptr_t)&results[i]};
        failed = _cmocka_run_group_tests("test_scraper.c", tests, n, NULL, NULL);
    }
    free(tests);
    return failed;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);    /* cmocka writes to both, and what belongs together should stand together */
    return co_test_main(argc, argv, "06-testing", show);
}
