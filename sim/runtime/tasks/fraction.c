/* fraction.c - CO_US, CO_MS and CO_SEC of a fraction that only the running program knows. */
#include "co.h"

int64_t co_ns_of_fraction(double n, int64_t unit)
{
    const double past_the_end = 0x1p63;             /* INT64_MAX is no double; this is the next one */
    double whole = n * (double)unit;
    if (whole != whole)
        return 0;
    if (whole >= past_the_end)
        return INT64_MAX;
    if (whole < -past_the_end)
        return INT64_MIN;
    if (whole >= past_the_end / 2 || whole < -past_the_end / 2)
        return (int64_t)whole;                      /* so near an end that the two parts might not fit */
    return CO_WHOLE_(n, unit) + CO_REST_(n - (double)(int64_t)n, (double)unit);
}
