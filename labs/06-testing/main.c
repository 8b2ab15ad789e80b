/* main.c - runs the tests of test_scraper.c. It belongs to the kit: you do not change it.
 *
 *     make run LAB=06                          all tests, on the scraper in scraper.c
 *     make run LAB=06 TEST=one_good_page       only this one (or several names, with blanks between them)
 *     make run LAB=06 FAULT=one_by_one         all tests, on a faulty scraper: which one finds out?
 *
 * All the running is done by co_test_main. What is left is to show the results, and that is cmocka's: for each test
 * that has run already there is a test of cmocka's own, which fails if that one has failed.
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

/* " (timed out)" for the number of an error, else "". Two texts may be in use at a time. */
static const char *meaning(long long number)
{
    static char texts[2][80];
    static int next;
    char *text = texts[next++ % 2];
    if (number >= 0 || number < -4095)
        return "";
    snprintf(text, sizeof texts[0], " (%s)", co_strerror((int)number));
    return text;
}

/* cmocka writes all numbers in hexadecimal, and here most of them are times. */
static void show_decimal(const char *said, const char *place)
{
    unsigned long long left, right;
    const char *at = place;
    while (at > said && (at == place || at[-1] != '\n'))
        at--;
    if (sscanf(at, "%llx != %llx", &left, &right) != 2)
        return;
    long long is = (long long)left, wanted = (long long)right;
    if (is % 1000 == 0 && wanted % 1000 == 0 && (is >= CO_MS(1) || wanted >= CO_MS(1)))
        print_error("that is %g ms, not %g ms\n", (double)is / 1e6, (double)wanted / 1e6);
    else if (is < (1LL << 44))          /* else it is an address */
        print_error("that is %lld%s, not %lld%s\n", is, meaning(is), wanted, meaning(wanted));
}

static void show_one(void **state)
{
    const struct co_test_result *result = *state;
    const char *said = result->said ? result->said : "", *place = place_in(said);
    char file[256] = "";
    int line = 0;

    print_error("%.*s", (int)(place - said), said);
    show_decimal(said, place);
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
    /* Cmocka writes to both, and what belongs together should stand together. */
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    return co_test_main(argc, argv, "06-testing", show);
}
