/* test_scraper.c - lab 06: the tests of a scraper.
 *
 * This is the file you complete. Read README.md, scraper.h and sim/include/co_test.h first, then do the TODOs in
 * their order. After each one:
 *     make run LAB=06                       your tests, on a scraper that is right: all must pass
 *     make run LAB=06 FAULT=one_by_one      your tests, on one that is wrong: one of them should fail
 *     make grade LAB=06
 */
#include "co_test.h"
#include "scraper.h"

/* An example. It is a test of a single good page, and it is not very sharp:
 * which lines of scraper.h does it not look at? */
CO_TEST(one_good_page)
{
    mock_get("http://a.test/tea", .body = "<title>Tea</title>", .delay = CO_MS(300));

    struct page page;
    int rc = scrape_page("http://a.test/tea", CO_SEC(2), &page);

    assert_int_equal(rc, 0);
    assert_int_equal(page.status, 200);
}

/* TODO 1: finish the test above. Every field of struct page has a sentence in
 * scraper.h. And how long did it take? co_now() tells. */

/* TODO 2: a page that does not answer in time. What does the page say, when does scrape_page return, and what has
 * become of the request (mock_given_up, mock_ended_at)? A page can also be late in another way: its
 * body can drip (.every). */

/* TODO 3: answers that are failures: a 404, a 500. And the other side of the border: which statuses are successful? */

/* TODO 4: network errors: refused, no such host, broken off. They differ. */

/* TODO 5: several URLs at once with scrape_all: one that is slow, one that fails, some that are good. Look at out, at
 * the summary, and at the time. Who listens? A struct listener whose functions write down what they are told, and when.
 *
 *     static void on_progress(void *arg, const struct page *page, size_t done, size_t total)
 */

/* TODO 6: the limit. Ten pages, at most three at once: how many were in flight at once (mock_peak)? How long does it
 * take when the delays differ? When does each page begin (mock_begun_at), and when does its timeout? */

/* TODO 7: the ends: no URL at all, one, as many as the limit, the same URL twice. A run that is cancelled half-way. */
