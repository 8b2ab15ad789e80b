/* failure.h - what goes wrong in a database, as errno values. The names that a program has for them are in co_db.h; the
 * runtime holds the two together. */
#ifndef FAILURE_H
#define FAILURE_H

#include <errno.h>

enum {
    SQL_CONSTRAINT = EDOM, SQL_SERIAL = ESTALE, SQL_WRONG = EBADMSG, SQL_FAILED = ENOTRECOVERABLE, SQL_CROWDED = EUSERS,
};

#endif
