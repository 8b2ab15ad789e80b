/* url.h - as much of a URL as a client needs: is it one, and where does a redirect lead? */
#ifndef URL_H
#define URL_H

enum { URL_MAX = 2048 };        /* bytes of a URL, its '\0' included */

/* Copies a URL that begins with http:// or https:// and names a host. 0, or -EINVAL. */
int url_check(const char *url, char copy[URL_MAX]);

/* Replaces base[] by where `location`, read on the page base[], leads (RFC 3986, section 5.2; "." and ".." stay
 * as they are). 0, or -EINVAL: not a http URL, or too long. */
int url_resolve(char base[URL_MAX], const char *location);

#endif
