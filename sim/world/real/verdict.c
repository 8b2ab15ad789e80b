/* verdict.c - curl's errors as errno values, those that co.h promises. */
#include "real.h"

#include <errno.h>

/* No connection came about: what the operating system said. */
static int32_t not_connected(const struct exchange *exchange)
{
    long number = 0;
    curl_easy_getinfo(exchange->easy, CURLINFO_OS_ERRNO, &number);
    return number == EMFILE || number == ENFILE || number == ENETUNREACH || number == EHOSTUNREACH || number == ENETDOWN
        || number == EADDRNOTAVAIL || number == EACCES ? -(int32_t)number
        : number == ETIMEDOUT ? -ETIMEDOUT : -ECONNREFUSED;
}

int32_t rw_verdict(const struct exchange *exchange, CURLcode code)
{
    if (exchange->failure)
        return exchange->failure;
    switch (code) {
    case CURLE_OK:
        return exchange->head_known ? 0 : -EPROTO;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return -ENXIO;
    case CURLE_COULDNT_CONNECT:
        return not_connected(exchange);
    case CURLE_OPERATION_TIMEDOUT:
        return -ETIMEDOUT;
    case CURLE_GOT_NOTHING:         /* closed before the first byte of an answer */
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
        return -ECONNRESET;
    case CURLE_PEER_FAILED_VERIFICATION:
#ifdef EKEYREJECTED
        return -EKEYREJECTED;
#else
        return -EACCES;
#endif
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_USE_SSL_FAILED:
        return -EPROTO;
    case CURLE_URL_MALFORMAT:
        return -EINVAL;
    case CURLE_OUT_OF_MEMORY:       /* curl says so, too, when one line of a head is longer than it keeps (100 KB) */
        return exchange->head_known ? -ENOMEM : -EMSGSIZE;
#if LIBCURL_VERSION_NUM >= 0x080500
    case CURLE_TOO_LARGE:
        return -EMSGSIZE;
#endif
    default:                        /* an answer that is none, or broken off early */
        return -EPROTO;
    }
}
