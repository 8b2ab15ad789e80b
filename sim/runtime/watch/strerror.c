/* strerror.c - errors in words, those of this library's own making first. */
#include "co.h"
#include "co_db.h"
#include "co_server.h"

#include <string.h>

const char *co_strerror(int rc)
{
    switch (rc) {
    case -ECANCELED:    return "cancelled";
    case -ETIMEDOUT:    return "timed out";
    case -ECONNREFUSED: return "connection refused: nobody listens there";
    case -ECONNRESET:   return "connection reset by the server";
    case -EPROTO:       return "the answer broke off before its end";
    case -CO_ENOHOST:   return "no host of that name";
    case -CO_ECERT:     return "the server's certificate cannot be trusted";
    case -EMSGSIZE:     return "the answer is larger than the limit";
    case -ELOOP:        return "too many redirects";
    case -EMFILE:       return "too many connections or files open at once: have fewer under way, or raise ulimit -n";
    case -EINTR:        return "interrupted";
    case -EINVAL:       return "invalid argument";
    case -ENOMEM:       return "out of memory";
    case -EDEADLK:      return "deadlock";
    case -EPERM:        return "not allowed here";
    case -EAGAIN:       return "not without waiting";
    case -EINPROGRESS:  return "still running";
    case -EALREADY:     return "a loop is running already, or another task waits for the same generator";
    case -ESHUTDOWN:    return "the queue is shut down";
    case -CO_EBROKEN:   return "the barrier is broken";
    case -EOVERFLOW:    return "more releases than acquires";
    case -EBADF:        return "not open, or not for that";
    case -EBUSY:        return "another task waits for the same stream";
    case -CO_EROWS:     return "this connection has rows that are not read to their end: close them first";
    case -CO_ECONSTRAINT: return "the data forbids it: it is there already, or a rule of its table does not hold";
    case -CO_ESERIAL:   return "another transaction got there first: begin yours again";
    case -CO_ESQL:      return "the statement is wrong: co_db_message() says why";
    case -CO_EFAILED:   return "the transaction has failed: it can only be rolled back";
    case -CO_ECROWDED:  return "the database takes no more connections";
    case -EADDRINUSE:   return "somebody listens at that port already";
    case -CO_ECLOSED:   return "it is closed: nothing more can be sent or read";
    case -CO_ERULES:     return "the other side broke the rules";
    case -CO_ENOUPGRADE: return "the server opens no WebSocket there";
    default:            return rc >= 0 ? "success" : strerror(-rc);
    }
}
