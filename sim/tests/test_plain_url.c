/* test_plain_url.c - the quick look at a URL says no more than the close one. */
#include "check.h"

#include "runtime/outside/url.h"

static void plain_ones_are_right_and_tidy(void **state)
{
    static const char *const plain[] = {"http://a.test/", "http://a-1.test/x/y.html", "http://1.2.3.4/?q=../x&r=a:b@c",
                                        "http://a/x..", "http://a.test/#part", "http://a.test//b"};
    (void)state;
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        assert_int_equal(url_plain_length(plain[i]), strlen(plain[i]));
        assert_int_equal(url_length(plain[i]), strlen(plain[i]));
        assert_true(url_is_tidy(plain[i]));
    }
}

static void all_others_are_looked_at_closely(void **state)
{
    static const char *const others[] = {
        "", "h", "http:/", "http://", "http:///", "http://a.test", "http://a.test?q", "https://a.test/",
        "HTTP://a.test/", "http://A.test/", "http://a.test:80/", "http://u@a.test/", "http://[::1]/",
        "http://a.test/./", "http://a.test/..", "http://a.test/x/../y", "http://a.test/a b",
        "http://a.test/\n", "http://a.test/\x7f", "http://a_b.test/",
    };
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(url_plain_length(others[i]), 0);
}

static void what_is_too_long_is_not_plain(void **state)
{
    char url[URL_MAX + 1];
    (void)state;
    memset(url, 'x', sizeof url);
    memcpy(url, "http://a.test/", 14);
    url[URL_MAX] = '\0';
    assert_int_equal(url_plain_length(url), 0);
    assert_true(url_length(url) < 0);
    url[URL_MAX - 1] = '\0';
    assert_int_equal(url_plain_length(url), URL_MAX - 1);
    assert_int_equal(url_length(url), URL_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_ones_are_right_and_tidy),
        cmocka_unit_test(all_others_are_looked_at_closely),
        cmocka_unit_test(what_is_too_long_is_not_plain),
    };
    return cmocka_run_group_tests_name("plain url", tests, NULL, NULL);
}
