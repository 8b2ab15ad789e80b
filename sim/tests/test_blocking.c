/* test_blocking.c - the C library's blocking calls, called by a task: they stop the loop, and the trace says where. */
#include "check.h"

#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>

/* Runs fn beside two sleepers (10 ms and 25 ms) and returns the trace. */
struct pair { co_fn fn; void *job; };
static int beside_sleepers(void *job)
{
    const struct pair *pair = job;
    CO_GROUP(group);
    co_spawn(&group, sleeper, MSEC(10));
    co_spawn(&group, pair->fn, pair->job);
    co_spawn(&group, sleeper, MSEC(25));
    return co_join(&group);
}

/* `call` stops the loop for 20 ms at line `line`: the first sleeper wakes when
 * it is over, the second in its time after that. */
static void check_blocks(co_fn fn, const char *call, int ms)
{
    char line[200], notes[64];
    char trace_path[64];
    struct pair pair = {fn, NULL};
    write_temp(trace_path, "");
    struct co_options options = {.program = "prog", .trace_file = trace_path};
    struct child *child = forked_with(options, beside_sleepers, &pair);
    assert_int_equal(child->rc, 0);
    assert_has(child->err, "prog: %s blocked the loop for %d ms at test_blocking.c:%d", call, ms, board->line[0]);
    char *trace = take_file(trace_path);
    snprintf(line, sizeof line,
             "{\"t\":%d000000,\"from\":\"runtime\",\"ev\":\"block\",\"task\":3,\"ns\":%d000000,\"on\":\"%s\","
             "\"src\":\"test_blocking.c:%d\"}\n", ms, ms, call, board->line[0]);
    assert_has(trace, "%s", line);
    snprintf(notes, sizeof notes, "blocked@%d 10@%d 25@%d ", ms, ms > 10 ? ms : 10, ms + 25);
    assert_string_equal(board->text, notes);
    free(trace);
}

static const struct timespec ms_20 = {0, 20000000};

static int by_sleep(void *job)
{
    (void)job;
    expect_is(sleep(2), 0), MARK(0);
    note("blocked");
    return 0;
}
static int by_usleep(void *job)
{
    (void)job;
    expect_is(usleep(20000), 0), MARK(0);
    note("blocked");
    return 0;
}
static int by_nanosleep(void *job)
{
    (void)job;
    expect_is(nanosleep(&ms_20, NULL), 0), MARK(0);
    note("blocked");
    return 0;
}
static int by_clock_nanosleep(void *job)
{
    (void)job;
    expect_is(clock_nanosleep(CLOCK_MONOTONIC, 0, &ms_20, NULL), 0), MARK(0);
    note("blocked");
    return 0;
}
static int by_clock_nanosleep_until(void *job)
{
    (void)job;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 20000000;
    expect_is(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL), 0), MARK(0);
    note("blocked");
    return 0;
}
static int by_poll(void *job)
{
    (void)job;
    expect_is(poll(NULL, 0, 20), 0), MARK(0);
    note("blocked");
    return 0;
}
static int by_ppoll(void *job)
{
    (void)job;
    expect_is(ppoll(NULL, 0, &ms_20, NULL), 0), MARK(0);
    note("blocked");
    return 0;
}
static int by_select(void *job)
{
    (void)job;
    struct timeval limit = {0, 20000};
    expect_is(select(0, NULL, NULL, NULL, &limit), 0), MARK(0);
    note("blocked");
    return 0;
}
static int by_pselect(void *job)
{
    (void)job;
    expect_is(pselect(0, NULL, NULL, NULL, &ms_20, NULL), 0), MARK(0);
    note("blocked");
    return 0;
}

/* ---- Threads, signals, descriptors, system calls by number ------------------------------------------------------ */

static struct timespec in_20_ms(clockid_t clock)
{
    struct timespec at;
    clock_gettime(clock, &at);
    at.tv_nsec += 20000000;
    return at;
}

#define BEGIN struct timespec at = in_20_ms(CLOCK_REALTIME); (void)job, (void)at
#define END return note("blocked"), 0

static int by_thrd_sleep(void *job)
{
    BEGIN;
    expect_is(thrd_sleep(&ms_20, NULL), 0), MARK(0);
    END;
}
static int by_sem(void *job)
{
    BEGIN;
    sem_t sem;
    sem_init(&sem, 0, 0);
    expect_is(sem_timedwait(&sem, &at), -1), MARK(0);
    expect_is(errno, ETIMEDOUT);
    END;
}
static int by_sem_clock(void *job)
{
    BEGIN;
    sem_t sem;
    sem_init(&sem, 0, 0);
    at = in_20_ms(CLOCK_MONOTONIC);
    expect_is(sem_clockwait(&sem, CLOCK_MONOTONIC, &at), -1), MARK(0);
    END;
}
static int by_pthread_cond(void *job)
{
    BEGIN;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    pthread_mutex_init(&lock, NULL);
    pthread_cond_init(&cond, NULL);
    pthread_mutex_lock(&lock);
    expect_is(pthread_cond_timedwait(&cond, &lock, &at), ETIMEDOUT), MARK(0);
    pthread_mutex_unlock(&lock);
    END;
}
static int by_cnd(void *job)
{
    BEGIN;
    mtx_t lock;
    cnd_t cond;
    mtx_init(&lock, mtx_timed);
    cnd_init(&cond);
    mtx_lock(&lock);
    expect_is(cnd_timedwait(&cond, &lock, &at), thrd_timedout), MARK(0);
    mtx_unlock(&lock);
    END;
}
static int by_mtx(void *job)
{
    BEGIN;
    mtx_t lock;
    mtx_init(&lock, mtx_timed);
    mtx_lock(&lock);
    expect_is(mtx_timedlock(&lock, &at), thrd_timedout), MARK(0);
    mtx_unlock(&lock);
    END;
}
static int by_mutex(void *job)
{
    BEGIN;
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    expect_is(pthread_mutex_timedlock(&lock, &at), ETIMEDOUT), MARK(0);
    pthread_mutex_unlock(&lock);
    END;
}
static int by_epoll(void *job)
{
    BEGIN;
    struct epoll_event event;
    int fd = epoll_create1(0);
    expect_is(epoll_wait(fd, &event, 1, 20), 0), MARK(0);
    close(fd);
    END;
}
static int by_epoll_mask(void *job)
{
    BEGIN;
    struct epoll_event event;
    int fd = epoll_create1(0);
    expect_is(epoll_pwait(fd, &event, 1, 20, NULL), 0), MARK(0);
    close(fd);
    END;
}
static int by_signal(void *job)
{
    BEGIN;
    sigset_t none;
    sigemptyset(&none);
    expect_is(sigtimedwait(&none, NULL, &ms_20), -1), MARK(0);
    expect_is(errno, EAGAIN);
    END;
}
static char queue_name[64];
static mqd_t a_queue(void)
{
    struct mq_attr attr = {.mq_maxmsg = 1, .mq_msgsize = 8};
    snprintf(queue_name, sizeof queue_name, "/looplab-test-%ld", (long)getpid());
    mqd_t queue = mq_open(queue_name, O_RDWR | O_CREAT, 0600, &attr);
    mq_unlink(queue_name);
    return queue;
}
static int by_mq_receive(void *job)
{
    BEGIN;
    char message[8];
    mqd_t queue = a_queue();
    expect_is(mq_timedreceive(queue, message, sizeof message, NULL, &at), -1), MARK(0);
    expect_is(errno, ETIMEDOUT);
    mq_close(queue);
    END;
}
static int by_mq_send(void *job)
{
    BEGIN;
    mqd_t queue = a_queue();
    expect_is(mq_send(queue, "x", 1, 0), 0);
    expect_is(mq_timedsend(queue, "x", 1, 0, &at), -1), MARK(0);
    expect_is(errno, ETIMEDOUT);
    mq_close(queue);
    END;
}
static int by_semtimedop(void *job)
{
    BEGIN;
    struct sembuf down = {0, -1, 0};
    int set = semget(IPC_PRIVATE, 1, 0600);
    expect_is(semtimedop(set, &down, 1, &ms_20), -1), MARK(0);
    expect_is(errno, EAGAIN);
    semctl(set, 0, IPC_RMID);
    END;
}
static int by_epoll_ns(void *job)
{
    BEGIN;
    struct epoll_event event;
    int fd = epoll_create1(0);
    expect_is(epoll_pwait2(fd, &event, 1, &ms_20, NULL), 0), MARK(0);
    close(fd);
    END;
}
/* Linux has it since 5.11, and not each qemu lets a program in. */
static bool there_is_epoll_pwait2(void)
{
    return syscall(SYS_epoll_pwait2, -1, NULL, 0, NULL, NULL, 0) == 0 || errno != ENOSYS;
}

static void calls_of_other_headers_block_it_too(void **state)
{
    (void)state;
    check_blocks(by_thrd_sleep, "thrd_sleep", 20);
    check_blocks(by_sem, "sem_timedwait", 20);
    check_blocks(by_sem_clock, "sem_clockwait", 20);
    check_blocks(by_pthread_cond, "pthread_cond_timedwait", 20);
    check_blocks(by_cnd, "cnd_timedwait", 20);
    check_blocks(by_mtx, "mtx_timedlock", 20);
    check_blocks(by_mutex, "pthread_mutex_timedlock", 20);
    check_blocks(by_epoll, "epoll_wait", 20);
    check_blocks(by_epoll_mask, "epoll_pwait", 20);
    check_blocks(by_signal, "sigtimedwait", 20);
    check_blocks(by_semtimedop, "semtimedop", 20);
    if (there_is_epoll_pwait2())
        check_blocks(by_epoll_ns, "epoll_pwait2", 20);
    if (mq_close(a_queue()) == 0) {         /* not in every container */
        check_blocks(by_mq_receive, "mq_timedreceive", 20);
        check_blocks(by_mq_send, "mq_timedsend", 20);
    }
}

static int free_to_go(void *job)
{
    (void)job;
    sem_t sem;
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct timespec past = {0, 1};
    sem_init(&sem, 0, 2);
    expect_is(sem_wait(&sem), 0);
    expect_is(sem_timedwait(&sem, &past), 0);
    expect_is(sem_timedwait(&sem, &past), -1);          /* its time is up: no wait */
    expect_is(pthread_mutex_timedlock(&lock, &past), 0);
    expect_is(pthread_mutex_unlock(&lock), 0);
    expect_is(pthread_mutex_lock(&lock), 0);
    expect_is(pthread_mutex_unlock(&lock), 0);
    expect_is(syscall(SYS_getpid), getpid());
    expect_is(co_now(), 0);
    return 0;
}

/* As with the C library's own: a lock that finds a fault of its user's says so, and is no wait. */
static int locks_as_ever(void *job)
{
    (void)job;
    pthread_mutex_t lock;
    pthread_mutexattr_t kind;
    pthread_rwlock_t both = PTHREAD_RWLOCK_INITIALIZER;
    pthread_barrier_t alone;
    mtx_t again;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&lock, &kind);
    expect_is(pthread_mutex_lock(&lock), 0);
    expect_is(pthread_mutex_lock(&lock), EDEADLK);
    mtx_init(&again, mtx_plain | mtx_recursive);
    expect_is(mtx_lock(&again), thrd_success);
    expect_is(mtx_lock(&again), thrd_success);
    expect_is(pthread_rwlock_rdlock(&both), 0);
    expect_is(pthread_rwlock_rdlock(&both), 0);
    expect_is(pthread_rwlock_unlock(&both), 0);
    expect_is(pthread_rwlock_unlock(&both), 0);
    expect_is(pthread_rwlock_wrlock(&both), 0);
    expect_is(pthread_rwlock_rdlock(&both), EDEADLK);
    pthread_barrier_init(&alone, NULL, 1);
    expect_is(pthread_barrier_wait(&alone), PTHREAD_BARRIER_SERIAL_THREAD);
    return 0;
}

static int queues_as_ever(void *job)
{
    (void)job;
    struct { long type; char text[8]; } message = {1, "hello"};
    struct sembuf up = {0, 1, 0}, down = {0, -1, 0}, down_at_once = {0, -1, IPC_NOWAIT};
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int set = semget(IPC_PRIVATE, 1, 0600), queue = msgget(IPC_PRIVATE, 0600), ends[2];
    expect_is(semop(set, &up, 1), 0);
    expect_is(semop(set, &down, 1), 0);
    expect_is(semop(set, &down_at_once, 1), -1);
    expect_is(errno, EAGAIN);
    semctl(set, 0, IPC_RMID);
    expect_is(msgsnd(queue, &message, 6, 0), 0);
    expect_is(msgrcv(queue, &message, 8, 0, 0), 6);
    expect_is(msgrcv(queue, &message, 8, 0, IPC_NOWAIT), -1);
    expect_is(errno, ENOMSG);
    msgctl(queue, IPC_RMID, NULL);
    FILE *file = tmpfile();
    expect_is(lockf(fileno(file), F_LOCK, 0), 0);
    expect_is(fcntl(fileno(file), F_SETLKW, &whole), 0);
    fclose(file);
    expect_is(pipe(ends), 0);
    expect_is(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    expect(fcntl(ends[0], F_GETFL) & O_NONBLOCK);
    close(ends[0]), close(ends[1]);
    return 0;
}

static int connects(void *job)
{
    (void)job;
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof any;
    int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    expect_is(bind(server, (struct sockaddr *)&any, length), 0);
    expect_is(listen(server, 1), 0);
    expect_is(getsockname(server, (struct sockaddr *)&any, &length), 0);
    expect_is(connect(client, (struct sockaddr *)&any, length), 0);
    expect_is(fcntl(client, F_GETFL) & O_NONBLOCK, 0);
    close(client), close(server);
    return 0;
}

static void what_is_free_blocks_nothing(void **state)
{
    (void)state;
    static const co_fn all[] = {free_to_go, locks_as_ever, queues_as_ever};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char *trace = traced(all[i], NULL);
        assert_has_not(trace, "\"ev\":\"block\"");
        free(trace);
    }
    assert_int_equal(forked(connects, NULL)->rc, 0);
}

/* ---- What another process ends ---------------------------------------------------------------------------------- */

static void until_asleep(pid_t pid)
{
    char path[64], state = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    while (state != 'S') {
        FILE *file = fopen(path, "r");
        if (!file || fscanf(file, "%*d %*[^)]) %c", &state) != 1)
            _exit(1);
        fclose(file);
        syscall(SYS_sched_yield);
    }
}

/* A child that does `first`, lets its parent go on, and does `then` once the parent is asleep. */
#define BESIDE(first, then) do { \
    volatile int *go = mmap(NULL, sizeof *go, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0); \
    if (fork() == 0) { \
        first; \
        *go = 1; \
        until_asleep(getppid()); \
        then; \
        _exit(7); \
    } \
    while (!*go) \
        syscall(SYS_sched_yield); \
} while (0)

static int waits_for_a_child(void *job)
{
    siginfo_t ended;
    (void)job;
    BESIDE((void)0, (void)0);
    expect_is(waitid(P_ALL, 0, &ended, WEXITED), 0), MARK(0);
    expect_is(ended.si_status, 7);
    expect_is(waitid(P_ALL, 0, &ended, WEXITED), -1);       /* there is none: no wait */
    return 0;
}
static int waits_for_a_record(void *job)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    FILE *file = tmpfile();
    (void)job;
    BESIDE(expect_is(fcntl(fileno(file), F_SETLK, &whole), 0), (void)0);
    expect_is(fcntl(fileno(file), F_SETLKW, &whole), 0), MARK(0);
    return 0;
}
static int waits_for_a_file(void *job)
{
    FILE *file = tmpfile();
    (void)job;
    BESIDE(expect_is(lockf(fileno(file), F_LOCK, 0), 0), (void)0);
    expect_is(lockf(fileno(file), F_LOCK, 0), 0), MARK(0);
    return 0;
}
static int waits_for_a_message(void *job)
{
    struct { long type; char text[8]; } message = {1, "hello"};
    int queue = msgget(IPC_PRIVATE, 0600);
    (void)job;
    BESIDE((void)0, msgsnd(queue, &message, 6, 0));
    expect_is(msgrcv(queue, &message, 8, 0, 0), 6), MARK(0);
    msgctl(queue, IPC_RMID, NULL);
    return 0;
}
static int waits_for_a_semaphore(void *job)
{
    struct sembuf up = {0, 1, 0}, down = {0, -1, 0};
    int set = semget(IPC_PRIVATE, 1, 0600);
    (void)job;
    BESIDE((void)0, semop(set, &up, 1));
    expect_is(semop(set, &down, 1), 0), MARK(0);
    semctl(set, 0, IPC_RMID);
    return 0;
}

static void what_another_process_ends_is_told_without_a_time(void **state)
{
    (void)state;
    static const struct { co_fn fn; const char *name; } calls[] = {
        {waits_for_a_child, "waitid"}, {waits_for_a_record, "fcntl"}, {waits_for_a_file, "lockf"},
        {waits_for_a_message, "msgrcv"}, {waits_for_a_semaphore, "semop"},
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct child *child = forked(calls[i].fn, NULL);
        assert_int_equal(child->rc, 0);
        assert_has(child->err, "%s at test_blocking.c:%d blocked the loop until something outside", calls[i].name,
                   board->line[0]);
    }
}

static void *in_a_thread(void *arg)
{
    return arg;
}

static int waits_for_others(void *job)
{
    (void)job;
    pthread_t thread;
    void *result;
    int status;
    expect_is(pthread_create(&thread, NULL, in_a_thread, &status), 0);
    expect_is(pthread_join(thread, &result), 0), MARK(0);
    expect(result == &status);
    pid_t pid = fork();
    if (pid == 0)
        _exit(7);
    expect_is(waitpid(pid, &status, 0), pid);
    expect_is(WEXITSTATUS(status), 7);
    expect_is(co_now(), 0);
    return 0;
}

static void what_others_end_is_told_without_a_time(void **state)
{
    (void)state;
    struct child *child = forked(waits_for_others, NULL);
    assert_int_equal(child->rc, 0);
    assert_has(child->err, "pthread_join at test_blocking.c:%d blocked the loop until something outside",
               board->line[0]);
}

static int waits_for_nobody(void *job)
{
    (void)job;
    sem_t sem;
    sem_init(&sem, 0, 0);
    MARK(0), sem_wait(&sem);
    return 0;
}

static int locks_twice(void *job)
{
    (void)job;
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    MARK(0), pthread_mutex_lock(&lock);
    return 0;
}
static int locks_twice_of_c11(void *job)
{
    (void)job;
    mtx_t lock;
    mtx_init(&lock, mtx_plain);
    mtx_lock(&lock);
    MARK(0), mtx_lock(&lock);
    return 0;
}
static int writes_while_it_reads(void *job)
{
    (void)job;
    pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
    pthread_rwlock_rdlock(&lock);
    MARK(0), pthread_rwlock_wrlock(&lock);
    return 0;
}
static int meets_nobody(void *job)
{
    (void)job;
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, 1);
    pthread_barrier_init(&barrier, NULL, 2);
    MARK(0), pthread_barrier_wait(&barrier);
    return 0;
}

static void a_wait_that_nobody_can_end_ends_the_program(void **state)
{
    (void)state;
    static const struct { co_fn fn; const char *name; } calls[] = {
        {waits_for_nobody, "sem_wait"}, {locks_twice, "pthread_mutex_lock"}, {locks_twice_of_c11, "mtx_lock"},
        {writes_while_it_reads, "pthread_rwlock_wrlock"}, {meets_nobody, "pthread_barrier_wait"},
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct child *child = forked(calls[i].fn, NULL);
        assert_int_equal(child->exit_code, 70);
        assert_has(child->err, "%s at test_blocking.c:%d would stop the loop for ever", calls[i].name, board->line[0]);
    }
}

static void each_call_blocks_the_loop_at_its_line(void **state)
{
    (void)state;
    check_blocks(by_sleep, "sleep", 2000);
    check_blocks(by_usleep, "usleep", 20);
    check_blocks(by_nanosleep, "nanosleep", 20);
    check_blocks(by_clock_nanosleep, "clock_nanosleep", 20);
    check_blocks(by_clock_nanosleep_until, "clock_nanosleep", 20);
    check_blocks(by_poll, "poll", 20);
    check_blocks(by_ppoll, "ppoll", 20);
    check_blocks(by_select, "select", 20);
    check_blocks(by_pselect, "pselect", 20);
}

/* ---- What does not block ---------------------------------------------------------------------------------------- */

static int pipe_ends[2];
static int polls_without_waiting(void *job)
{
    (void)job;
    struct pollfd fd = {.fd = pipe_ends[0], .events = POLLIN};
    struct timespec none = {0, 0};
    struct timeval nothing = {0, 0};
    fd_set set;
    expect_is(poll(&fd, 1, 0), 0);
    expect_is(ppoll(&fd, 1, &none, NULL), 0);
    FD_ZERO(&set);
    FD_SET(pipe_ends[0], &set);
    expect_is(select(pipe_ends[0] + 1, &set, NULL, NULL, &nothing), 0);
    expect_is(FD_ISSET(pipe_ends[0], &set), 0);
    FD_SET(pipe_ends[0], &set);
    expect_is(pselect(pipe_ends[0] + 1, &set, NULL, NULL, &none, NULL), 0);
    expect_is(sched_yield(), 0);
    expect_is(write(pipe_ends[1], "x", 1), 1);
    expect_is(poll(&fd, 1, 1000), 1);           /* ready already: no wait */
    expect_is(fd.revents, POLLIN);
    expect_is(poll(&fd, 1, -1), 1);
    expect_is(ppoll(&fd, 1, NULL, NULL), 1);
    FD_SET(pipe_ends[0], &set);
    expect_is(select(pipe_ends[0] + 1, &set, NULL, NULL, NULL), 1);
    expect_is(FD_ISSET(pipe_ends[0], &set), 1);
    expect_is(pselect(pipe_ends[0] + 1, &set, NULL, NULL, NULL, NULL), 1);
    expect_is(co_now(), 0);
    return 0;
}

static void a_call_that_need_not_wait_blocks_nothing(void **state)
{
    (void)state;
    assert_int_equal(pipe(pipe_ends), 0);
    char *trace = traced(polls_without_waiting, NULL);
    assert_has_not(trace, "\"ev\":\"block\"");
    free(trace);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

static int wrong_arguments(void *job)
{
    (void)job;
    const struct timespec wrong[] = {{0, 1000000000}, {0, -1}, {-1, 0}};
    for (int i = 0; i < 3; i++) {
        errno = 0;
        expect_is(nanosleep(&wrong[i], NULL), -1);
        expect_is(errno, EINVAL);
        expect_is(clock_nanosleep(CLOCK_MONOTONIC, 0, &wrong[i], NULL), EINVAL);
    }
    expect_is(co_now(), 0);
    const struct timespec past = {0, 1};
    expect_is(co_sleep(CO_SEC(1)), 0);
    expect_is(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL), 0);
    expect_is(co_now(), CO_SEC(1));
    return 0;
}

static void wrong_arguments_are_refused_as_ever(void **state)
{
    (void)state;
    assert_int_equal(run(wrong_arguments, NULL), 0);
}

static int sleeps_very_long(void *job)
{
    (void)job;
    expect_is(sleep(UINT32_MAX), 0);
    expect_is(co_now(), (int64_t)UINT32_MAX * CO_SEC(1));
    expect_is(sleep(UINT32_MAX), 0);
    expect_is(sleep(UINT32_MAX), 0);
    expect_is(co_now(), CO_FOREVER);
    return 0;
}

static int sleeps_longer_than_time(void *job)
{
    (void)job;
    const struct timespec huge = {INT64_MAX / 1000, 0};
    expect_is(nanosleep(&huge, NULL), 0);
    expect_is(co_now(), CO_FOREVER);
    return 0;
}

static int selects_longer_than_time(void *job)
{
    (void)job;
    struct timeval huge = {INT64_MAX / 1000, 0};
    expect_is(select(0, NULL, NULL, NULL, &huge), 0);
    expect_is(co_now(), CO_FOREVER);
    return 0;
}

static void very_long_sleeps_do_not_turn_the_clock_round(void **state)
{
    (void)state;
    assert_int_equal(forked(sleeps_very_long, NULL)->rc, 0);
    assert_int_equal(forked(sleeps_longer_than_time, NULL)->rc, 0);
    assert_int_equal(forked(selects_longer_than_time, NULL)->rc, 0);
}

/* ---- For ever ---------------------------------------------------------------------------------------------------- */

static int pauses(void *job)
{
    (void)job;
    MARK(0), pause();
    return 0;
}
static int polls_for_ever(void *job)
{
    (void)job;
    MARK(0), (void)poll(NULL, 0, -1);
    return 0;
}
static int selects_for_ever(void *job)
{
    (void)job;
    MARK(0), (void)select(0, NULL, NULL, NULL, NULL);
    return 0;
}
static int ppolls_for_ever(void *job)
{
    (void)job;
    MARK(0), (void)ppoll(NULL, 0, NULL, NULL);
    return 0;
}
static int pselects_for_ever(void *job)
{
    (void)job;
    MARK(0), (void)pselect(0, NULL, NULL, NULL, NULL, NULL);
    return 0;
}

static void a_call_that_would_block_for_ever_ends_the_program(void **state)
{
    (void)state;
    static const struct { co_fn fn; const char *name; } calls[] = {
        {pauses, "pause"}, {polls_for_ever, "poll"}, {selects_for_ever, "select"}, {ppolls_for_ever, "ppoll"},
        {pselects_for_ever, "pselect"},
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct child *child = child_of_run(NULL, calls[i].fn, NULL, (struct co_options){.program = "prog"}, "x");
        assert_int_equal(child->rc, NOT_BACK);
        assert_int_equal(child->exit_code, 70);
        assert_has(child->err, "prog: %s at test_blocking.c:%d would stop the loop for ever", calls[i].name,
                   board->line[0]);
    }
}

/* ---- Clocks ------------------------------------------------------------------------------------------------------ */

static int reads_clocks(void *job)
{
    (void)job;
    struct timespec ts;
    struct timeval tv;
    time_t begin = time(NULL), stored;
    expect_is(co_sleep(CO_MS(1500)), 0);
    expect_is(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
    expect_is(ts.tv_sec, 1);
    expect_is(ts.tv_nsec, 500000000);
    expect_is(clock_gettime(CLOCK_REALTIME, &ts), 0);
    expect_is(ts.tv_sec, begin + 1);
    expect_is(ts.tv_nsec, 500000000);
    expect_is(gettimeofday(&tv, NULL), 0);
    expect_is(tv.tv_sec, begin + 1);
    expect_is(tv.tv_usec, 500000);
    expect_is(timespec_get(&ts, TIME_UTC), TIME_UTC);
    expect_is(ts.tv_sec, begin + 1);
    expect_is(time(&stored), begin + 1);
    expect_is(stored, begin + 1);
    expect_is(clock(), 0);                      /* waiting is no computing */
    co_cpu(CO_MS(2500));
    expect_is(clock(), (clock_t)(2 * CLOCKS_PER_SEC + CLOCKS_PER_SEC / 2));
    expect_is(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts), 0);
    expect_is(CO_SEC(ts.tv_sec) + ts.tv_nsec, CO_MS(2500));
    expect_is(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts), 0);
    expect_is(CO_SEC(ts.tv_sec) + ts.tv_nsec, CO_MS(2500));
    return 0;
}

static void a_task_reads_the_loops_clock(void **state)
{
    (void)state;
    assert_int_equal(run(reads_clocks, NULL), 0);
}

static void outside_a_loop_they_are_the_c_librarys_own(void **state)
{
    (void)state;
    struct timespec before, after, short_while = {0, 2000000};
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &before), 0);
    assert_int_equal(nanosleep(&short_while, NULL), 0);
    assert_int_equal(clock_nanosleep(CLOCK_MONOTONIC, 0, &short_while, NULL), 0);
    assert_int_equal(usleep(2000), 0);
    assert_int_equal(poll(NULL, 0, 2), 0);
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &after), 0);
    assert_true((after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec >= 8000000);
    assert_true(time(NULL) > 1700000000);
    assert_int_equal(sleep(0), 0);
    assert_int_equal(sched_yield(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_call_blocks_the_loop_at_its_line),
        cmocka_unit_test(calls_of_other_headers_block_it_too),
        cmocka_unit_test(what_is_free_blocks_nothing),
        cmocka_unit_test(what_others_end_is_told_without_a_time),
        cmocka_unit_test(what_another_process_ends_is_told_without_a_time),
        cmocka_unit_test(a_wait_that_nobody_can_end_ends_the_program),
        cmocka_unit_test(a_call_that_need_not_wait_blocks_nothing),
        cmocka_unit_test(wrong_arguments_are_refused_as_ever),
        cmocka_unit_test(very_long_sleeps_do_not_turn_the_clock_round),
        cmocka_unit_test(a_call_that_would_block_for_ever_ends_the_program),
        cmocka_unit_test(a_task_reads_the_loops_clock),
        cmocka_unit_test(outside_a_loop_they_are_the_c_librarys_own),
    };
    return cmocka_run_group_tests_name("blocking", tests, NULL, NULL);
}
