/* test_url.c - what becomes of a URL, held against libcurl's own parser: both worlds send what url.c says, and the
 * real one must not think otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/outside/url.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { AS_CURL, RFC, STRICT };      /* STRICT: curl takes it, or mends it, and we say -EINVAL */

static const struct {
    const char *url, *location;     /* location NULL: the URL itself */
    int how;
    const char *ours;               /* unless AS_CURL; NULL: -EINVAL */
} table[] = {
    {"http://a.test?x=1", NULL, AS_CURL, 0},
    {"http://a.test/", NULL, AS_CURL, 0},
    {"http://user:pw@a.test/", NULL, AS_CURL, 0},
    {"http://u%40:p%3Aw@a.test/", NULL, AS_CURL, 0},
    {"http://u@a.test/", NULL, AS_CURL, 0},
    {"http://@a.test/", NULL, AS_CURL, 0},
    {"http://:@a.test/", NULL, AS_CURL, 0},
    {"http://a@b@c.test/", NULL, AS_CURL, 0},
    {"HTTP://a.test:80/x", NULL, AS_CURL, 0},
    {"http://a.test:/", NULL, AS_CURL, 0},
    {"http://a.test:0080/", NULL, AS_CURL, 0},
    {"http://a.test:8080/", NULL, AS_CURL, 0},
    {"http://a.test:443/", NULL, AS_CURL, 0},
    {"https://a.test:443/", NULL, AS_CURL, 0},
    {"https://a.test:80/", NULL, AS_CURL, 0},
    {"http://a.test:0/", NULL, AS_CURL, 0},
    {"http://a.test:65535/", NULL, AS_CURL, 0},
    {"http://a.test:65536/", NULL, AS_CURL, 0},
    {"http://a.test:8x/", NULL, AS_CURL, 0},
    {"http://[::1]:80/", NULL, AS_CURL, 0},
    {"http://[::1]:8080/x", NULL, AS_CURL, 0},
    {"http://a_b.test/", NULL, AS_CURL, 0},
    {"http://a.test\\x", NULL, AS_CURL, 0},
    {"http://a.test/a b", NULL, AS_CURL, 0},
    {"http://a.test/x/../y/./z", NULL, AS_CURL, 0},
    {"http://a.test/x/..", NULL, AS_CURL, 0},
    {"http://a.test/x/.", NULL, AS_CURL, 0},
    {"http://a.test/../..", NULL, AS_CURL, 0},
    {"http://a.test/x//../y", NULL, AS_CURL, 0},
    {"http://a.test/..x/y..", NULL, AS_CURL, 0},
    {"http://a.test/...", NULL, AS_CURL, 0},
    {"http://a.test/%2e%2e/b", NULL, AS_CURL, 0},
    {"http://a.test?../x", NULL, AS_CURL, 0},
    {"http://a.test/a?b=../c", NULL, AS_CURL, 0},
    {"http://a.test/a#../c", NULL, AS_CURL, 0},
    {"http:///a.test/", NULL, STRICT, NULL},
    {"http:/a.test/", NULL, STRICT, NULL},
    {"http://a.test/x/y/z", "../b", AS_CURL, 0},
    {"http://a.test/x/y/z", "b c", AS_CURL, 0},
    {"http://a.test/x/y/z", "b?c d", AS_CURL, 0},
    {"http://a.test/x/y/z", "?q", AS_CURL, 0},
    {"http://a.test/x/y/z?a", "?q", AS_CURL, 0},
    {"http://a.test/x/y/z?a", "#f", RFC, "http://a.test/x/y/z?a#f"},
    {"http://a.test/x", "?", RFC, "http://a.test/x?"},
    {"http://a.test/x/y/z", "//b.test/q", AS_CURL, 0},
    {"http://a.test/x/y/z", "./", AS_CURL, 0},
    {"http://a.test/x/y/z", "/../../q", AS_CURL, 0},
    {"http://a.test/x/y/z", "HTTP://b.test:80/../c d", AS_CURL, 0},
    {"http://a.test/x/y/z", "...", AS_CURL, 0},
    {"http://a.test/x/y/z", "./c:d", AS_CURL, 0},
    {"http://a.test/x/y/z", "c:d/e", AS_CURL, 0},
    {"http://a.test/x/y/z", "mailto:x", AS_CURL, 0},
    {"http://a.test/x/y/z", "http:b", AS_CURL, 0},
    {"http://a.test/x/y", "../../../..", AS_CURL, 0},
    {"http://a.test/x/y", "..?a", AS_CURL, 0},
    {"http://a.test/x/y", "..#a", AS_CURL, 0},
    {"http://a.test/x", "\xc3\xa9?\xc3\xa9", AS_CURL, 0},
    {"http://a.test/x?y", "z?\"<>", AS_CURL, 0},
    {"http://a.test/x?a/b", "c", AS_CURL, 0},
    {"http://a.test/x", "http://q:r@b.test/y", AS_CURL, 0},
    {"http://a.test", "b", AS_CURL, 0},
    {"http://a.test/x", "ftp://b.test/", STRICT, NULL},
};

/* curl's answer without the user's part, which goes to user[]. False: it is no URL to curl. */
static bool ask_curl(const char *url, const char *location, char out[URL_MAX], char user[URL_MAX])
{
    CURLU *handle = curl_url();
    char *text = NULL, *name = NULL, *password = NULL;
    bool ok = curl_url_set(handle, CURLUPART_URL, url, 0) == CURLUE_OK
        && (!location
            || curl_url_set(handle, CURLUPART_URL, location, CURLU_URLENCODE | CURLU_ALLOW_SPACE) == CURLUE_OK);
    curl_url_get(handle, CURLUPART_USER, &name, CURLU_URLDECODE);
    curl_url_get(handle, CURLUPART_PASSWORD, &password, CURLU_URLDECODE);
    snprintf(user, URL_MAX, "%s%s%s", name ? name : "", (name && *name) || password ? ":" : "",
             password ? password : "");
    if (strcmp(user, ":") == 0)
        *user = '\0';               /* nothing is no name: curl then sends ":" in base64, we send nothing */
    curl_url_set(handle, CURLUPART_USER, NULL, 0);
    curl_url_set(handle, CURLUPART_PASSWORD, NULL, 0);
    ok = ok && curl_url_get(handle, CURLUPART_URL, &text, CURLU_NO_DEFAULT_PORT) == CURLUE_OK;
    snprintf(out, URL_MAX, "%s", text ? text : "");
    curl_free(text);
    curl_free(name);
    curl_free(password);
    curl_url_cleanup(handle);
    return ok;
}

static bool ask_ours(const char *url, const char *location, char out[URL_MAX], char user[URL_MAX])
{
    *user = '\0';
    if (url_length(url) < 0)
        return false;
    strcpy(out, url);
    url_tidy(out, user);
    if (!location)
        return true;
    if (url_resolve(out, location) < 0)
        return false;
    url_tidy(out, user);
    return true;
}

static void as_curl_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char theirs[URL_MAX], ours[URL_MAX], their_user[URL_MAX], our_user[URL_MAX];
        bool they = ask_curl(table[i].url, table[i].location, theirs, their_user);
        bool we = ask_ours(table[i].url, table[i].location, ours, our_user);
        print_message("%s + %s\n", table[i].url, table[i].location ? table[i].location : "-");
        if (table[i].how == AS_CURL) {
            assert_int_equal(we, they);
            if (we) {
                assert_string_equal(ours, theirs);
                assert_string_equal(our_user, their_user);
            }
        } else {
            assert_int_equal(we, table[i].ours != NULL);
            if (we)
                assert_string_equal(ours, table[i].ours);
        }
    }
}

/* What is tidy stays as it is, and what url_tidy has made is tidy. */
static void tidy_is_tidy(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char url[URL_MAX], user[URL_MAX];
        if (url_length(table[i].url) < 0)
            continue;
        bool was_tidy = url_is_tidy(table[i].url);
        strcpy(url, table[i].url);
        url_tidy(url, user);
        assert_true(url_is_tidy(url));
        if (was_tidy)
            assert_string_equal(url, table[i].url);
    }
    assert_false(url_is_tidy("http://a.test?x=1"));
    assert_false(url_is_tidy("http://A.test/"));
    assert_false(url_is_tidy("http://a.test:80/"));
    assert_false(url_is_tidy("http://a.test/x/../y"));
    assert_false(url_is_tidy("http://u:p@a.test/"));
    assert_true(url_is_tidy("http://a.test:8080/x..y/...?a/../b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_curl_says),
        cmocka_unit_test(tidy_is_tidy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
