/* connections.c - what the kernel alone takes for many GETs at once, each on a connection of its own: the bare system
 * calls, and nothing of HTTP but the bytes.
 *
 *     connections PORT N      asks 127.0.0.1 for /0 to /N-1, all at once; exit code 1 if one has no answer
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { AT_A_TIME = 256, PIECE = 16384 };

struct connection {
    int fd;
    int number;
    _Bool asked;
    size_t got;
};

static int begin(struct connection *one, int epoll, int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    one->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (one->fd < 0)
        return -1;
    (void)connect(one->fd, (struct sockaddr *)&to, sizeof to);      /* under way; what fails is seen at the write */
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = one};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, one->fd, &event);
}

static int ask(struct connection *one, int epoll)
{
    char request[128];
    int length = snprintf(request, sizeof request,
                          "GET /%d HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", one->number);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = one};
    one->asked = 1;
    return write(one->fd, request, (size_t)length) == length ? epoll_ctl(epoll, EPOLL_CTL_MOD, one->fd, &event) : -1;
}

/* 1: the server has closed it, behind its answer; 0: not yet; -1: there was no answer. */
static int hear(struct connection *one)
{
    static char piece[PIECE];
    ssize_t got = read(one->fd, piece, sizeof piece);
    if (got > 0 && one->got == 0 && strncmp(piece, "HTTP/1.1 200", 12) != 0)
        return -1;
    if (got > 0)
        return one->got += (size_t)got, 0;
    close(one->fd);
    return got == 0 && one->got ? 1 : -1;
}

int main(int argc, char **argv)
{
    int port = argc == 3 ? atoi(argv[1]) : 0, number = argc == 3 ? atoi(argv[2]) : 0;
    struct connection *all = calloc((size_t)number + 1, sizeof *all);
    int epoll = epoll_create1(EPOLL_CLOEXEC), left = number;
    struct rlimit files;
    if (number <= 0 || !all || epoll < 0 || getrlimit(RLIMIT_NOFILE, &files) < 0)
        return 1;
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
    for (int i = 0; i < number; i++) {
        all[i].number = i;
        if (begin(&all[i], epoll, port) < 0)
            return 1;
    }
    while (left > 0) {
        struct epoll_event events[AT_A_TIME];
        int ready = epoll_wait(epoll, events, AT_A_TIME, 10000);
        if (ready <= 0)
            return 1;
        for (int i = 0; i < ready; i++) {
            struct connection *one = events[i].data.ptr;
            int rc = one->asked ? hear(one) : ask(one, epoll);
            if (rc < 0)
                return 1;
            left -= rc;
        }
    }
    free(all);
    return 0;
}
