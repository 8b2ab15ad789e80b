/* libpq.h - PostgreSQL's client library, loaded when a server is first spoken to (as SQLite is: sql/sqlite.h). */
#ifndef LIBPQ_H
#define LIBPQ_H

struct pg_conn;
struct pg_result;
struct pg_cancel;

/* result, name behind "PQ", parameters */
#define LIBPQ_CALLS(CALL) \
    CALL(struct pg_conn *, connectStart, (const char *)) \
    CALL(int, connectPoll, (struct pg_conn *)) \
    CALL(void, finish, (struct pg_conn *)) \
    CALL(int, status, (const struct pg_conn *)) \
    CALL(int, socket, (const struct pg_conn *)) \
    CALL(char *, errorMessage, (const struct pg_conn *)) \
    CALL(int, setnonblocking, (struct pg_conn *, int)) \
    CALL(int, sendQueryParams, (struct pg_conn *, const char *, int, const unsigned *, const char *const *, \
                                const int *, const int *, int)) \
    CALL(int, sendPrepare, (struct pg_conn *, const char *, const char *, int, const unsigned *)) \
    CALL(int, sendQueryPrepared, (struct pg_conn *, const char *, int, const char *const *, const int *, const int *, \
                                  int)) \
    CALL(int, setSingleRowMode, (struct pg_conn *)) \
    CALL(int, flush, (struct pg_conn *)) \
    CALL(int, consumeInput, (struct pg_conn *)) \
    CALL(int, isBusy, (struct pg_conn *)) \
    CALL(struct pg_result *, getResult, (struct pg_conn *)) \
    CALL(int, resultStatus, (const struct pg_result *)) \
    CALL(char *, resultErrorField, (const struct pg_result *, int)) \
    CALL(char *, resultErrorMessage, (const struct pg_result *)) \
    CALL(int, nfields, (const struct pg_result *)) \
    CALL(char *, fname, (const struct pg_result *, int)) \
    CALL(unsigned, ftype, (const struct pg_result *, int)) \
    CALL(int, ntuples, (const struct pg_result *)) \
    CALL(char *, getvalue, (const struct pg_result *, int, int)) \
    CALL(int, getlength, (const struct pg_result *, int, int)) \
    CALL(int, getisnull, (const struct pg_result *, int, int)) \
    CALL(char *, cmdStatus, (struct pg_result *)) \
    CALL(char *, cmdTuples, (struct pg_result *)) \
    CALL(void, clear, (struct pg_result *)) \
    CALL(struct pg_cancel *, getCancel, (struct pg_conn *)) \
    CALL(int, cancel, (struct pg_cancel *, char *, int)) \
    CALL(void, freeCancel, (struct pg_cancel *)) \
    CALL(void *, setNoticeProcessor, (struct pg_conn *, void (*)(void *, const char *), void *))

#define LIBPQ_DECLARE(result, name, parameters) result (*name) parameters;
struct libpq { LIBPQ_CALLS(LIBPQ_DECLARE) };

enum {
    LIBPQ_BAD = 1,                  /* of status                                                        */
    LIBPQ_POLL_FAILED = 0, LIBPQ_POLL_READING, LIBPQ_POLL_WRITING, LIBPQ_POLL_OK,
    LIBPQ_COMMAND_OK = 1, LIBPQ_TUPLES_OK = 2, LIBPQ_COPY_OUT = 3, LIBPQ_COPY_IN = 4, LIBPQ_SINGLE_TUPLE = 9,
    LIBPQ_SQLSTATE = 'C', LIBPQ_PRIMARY = 'M',
};

/* libpq, or NULL: this machine has none. */
const struct libpq *rw_libpq(void);

#endif
