/* date.c - dates as HTTP writes them. */
#include "date.h"

#include <stdbool.h>
#include <string.h>

/* What is left of a text. `ok` is false as soon as it is not what was expected. */
struct rest {
    const char *at, *end;
    bool ok;
};

static char next(const struct rest *rest)
{
    return rest->at < rest->end ? *rest->at : '\0';
}

static void skip(struct rest *rest, char c)
{
    rest->ok = rest->ok && next(rest) == c;
    rest->at += rest->ok;
}

static int64_t number(struct rest *rest, int digits)
{
    int64_t value = 0;
    for (; digits > 0; digits--) {
        char c = next(rest);
        rest->ok = rest->ok && c >= '0' && c <= '9';
        if (!rest->ok)
            return 0;
        value = 10 * value + (c - '0');
        rest->at++;
    }
    return value;
}

/* From 0. */
static int64_t month(struct rest *rest)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int i = 0; rest->end - rest->at >= 3 && i < 12; i++)
        if (memcmp(rest->at, months + 3 * i, 3) == 0) {
            rest->at += 3;
            return i;
        }
    rest->ok = false;
    return 0;
}

static int64_t time_of_day(struct rest *rest)
{
    int64_t hour = number(rest, 2);
    skip(rest, ':');
    int64_t minute = number(rest, 2);
    skip(rest, ':');
    int64_t second = number(rest, 2);
    rest->ok = rest->ok && hour < 24 && minute < 60 && second < 60;
    return 3600 * hour + 60 * minute + second;
}

static int64_t leap_years_before(int64_t year)
{
    return (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400;
}

/* Days since the beginning of 1970. Month and day: from 0 and from 1. */
static int64_t days_until(struct rest *rest, int64_t year, int64_t month, int64_t day)
{
    static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t days = 365 * (year - 1970) + leap_years_before(year) - leap_years_before(1970), length = 0;
    for (int64_t i = 0; i <= month; i++) {
        days += length;
        length = lengths[i] + (i == 1 && leap_years_before(year + 1) > leap_years_before(year));
    }
    rest->ok = rest->ok && year >= 1970 && day >= 1 && day <= length;
    return days + day - 1;
}

/* "06 Nov 1994 08:49:37", "06-Nov-94 08:49:37" */
static int64_t day_first(struct rest *rest)
{
    int64_t day = number(rest, 2);
    char between = next(rest) == '-' ? '-' : ' ';
    skip(rest, between);
    int64_t of_year = month(rest);
    skip(rest, between);
    int64_t year = number(rest, between == '-' ? 2 : 4);
    if (between == '-')
        year += year < 70 ? 2000 : 1900;
    skip(rest, ' ');
    int64_t seconds = time_of_day(rest);
    return 86400 * days_until(rest, year, of_year, day) + seconds;
}

/* "Nov  6 08:49:37 1994" */
static int64_t month_first(struct rest *rest)
{
    int64_t of_year = month(rest);
    skip(rest, ' ');
    if (next(rest) == ' ')
        rest->at++;
    int64_t day = number(rest, rest->end - rest->at > 1 && rest->at[1] == ' ' ? 1 : 2);
    skip(rest, ' ');
    int64_t seconds = time_of_day(rest);
    skip(rest, ' ');
    return 86400 * days_until(rest, number(rest, 4), of_year, day) + seconds;
}

int64_t vw_date_parse(const char *text, size_t length)
{
    struct rest rest = {text, text + length, true};
    while (rest.at < rest.end && *rest.at != ',' && *rest.at != ' ')
        rest.at++;
    bool has_comma = next(&rest) == ',';
    skip(&rest, has_comma ? ',' : ' ');
    while (next(&rest) == ' ')
        rest.at++;
    int64_t date = has_comma ? day_first(&rest) : month_first(&rest);
    return rest.ok ? date : -1;
}
