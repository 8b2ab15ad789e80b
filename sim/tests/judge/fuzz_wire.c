/* fuzz_wire.c - drawn messages, most of them nearly right: the judge comes to its end each time, and its record is
 * whole. Run under ASan and UBSan by grader/tests/test_judge.py.
 *
 *     fuzz_wire MESSAGES [SEED]
 */
#include "script.h"

enum { MOST_IN_A_RUN = 40 };

static const char world[] =
    "{\"world\":\"looplab/world/v1\",\"cpus\":2,\"sites\":["
    "{\"url\":\"http://a.test\",\"rtt\":\"2ms\",\"workers\":1,\"connect\":\"3ms\",\"routes\":["
    "{\"path\":\"/\",\"latency\":\"5ms\",\"body\":\"hello\"},"
    "{\"path\":\"/big\",\"body_size\":300000,\"chunk\":1000,\"bandwidth\":1000000},"
    "{\"path\":\"/reset\",\"body_size\":3000,\"fault\":{\"kind\":\"reset\",\"after\":1000}},"
    "{\"path\":\"/echo\",\"method\":\"POST\",\"echo\":true}]}],"
    "\"clients\":[{\"name\":\"c\",\"to\":\"a.test:80\",\"count\":20,\"every\":\"1ms\",\"rtt\":\"2ms\","
    "\"window\":100,\"do\":["
    "{\"request\":\"/\",\"stream\":true},{\"wait\":\"5ms\"},{\"websocket\":\"/\"},{\"text\":\"x\"},{\"close\":1000}]}],"
    "\"disk\":{\"latency\":\"1ms\",\"capacity\":100000,\"files\":{\"in/a\":\"some text\"}}}";

/* ---- Chance --------------------------------------------------------------------------------------- */

static uint64_t state_of_chance;

static uint64_t draw(void)
{
    uint64_t z = state_of_chance += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static uint64_t below(uint64_t n)
{
    return draw() % n;
}

/* A number that is likely to matter somewhere. */
static uint64_t number(void)
{
    static const uint64_t edges[] = {0, 1, 2, 3, 64, 65, 1000, 65536, INT32_MAX, UINT32_MAX, INT64_MAX,
                                     (uint64_t)INT64_MIN, UINT64_MAX, 1000000, 5000000000};
    return below(3) ? below(8) : below(4) ? edges[below(sizeof edges / sizeof edges[0])] : draw();
}

static const char *one_of(const char *const words[], size_t n)
{
    return words[below(n)];
}

/* ---- Messages ---------------------------------------------------------------------------------------- */

#define ONE_OF(...) one_of((const char *const[]){__VA_ARGS__}, sizeof (const char *[]){__VA_ARGS__} / sizeof(char *))

static void add(char data[], uint32_t *length, const char *text)
{
    *length = (uint32_t)strlen(text);
    strcat(data, text);
}

static void fill(struct wire_submit *submit, char data[1024])
{
    if (submit->op == WORLD_HTTP) {
        add(data, &submit->lengths[0], ONE_OF("GET", "POST", "HEAD", ""));
        add(data, &submit->lengths[1], ONE_OF("http://a.test/", "http://a.test/big", "http://a.test/reset", "http://",
                                              "http://a.test/echo", "http://b.test/", "a", "", "http://a.test:99999/"));
        add(data, &submit->lengths[2], ONE_OF("", "Range: bytes=1-3\n", "If-None-Match: x\n", "x", "\n\n", "A: b"));
        add(data, &submit->lengths[3], ONE_OF("", "a body", "\1\2\3"));
        submit->sending = below(99) ? (uint32_t)below(3) : (uint32_t)number();
    } else if (submit->op == WORLD_REPORT) {
        add(data, &submit->lengths[0], ONE_OF("start", "result", "", "\"\n"));
        add(data, &submit->lengths[1],
            below(30) ? ONE_OF("1", "{\"a\":[1,2]}", "\"x\"", "null") : ONE_OF("{", "1\n2", ""));
    } else if (submit->op == WORLD_FILE) {
        add(data, &submit->lengths[0], ONE_OF("in/a", "out/b", "", "../x", "/", "in/"));
        add(data, &submit->lengths[1], ONE_OF("", "out/c", "in/a"));
        strcat(data, ONE_OF("", "bytes to write"));
        submit->call = (uint32_t)below(11);
        submit->mode = (uint32_t)below(5);
    } else if (submit->op == WORLD_SOCKET) {
        add(data, &submit->lengths[0], ONE_OF(":80", ":80", "a.test:80", ":0", "", "x", ":99999", "\x81\1x",
                                              "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"));
        submit->call = (uint32_t)below(9);
    }
}

static void submit(struct script *script)
{
    struct wire_submit submit = {.op = below(100) == 0 ? (uint32_t)number() : below(5) ? 1 + (uint32_t)below(7)
                                     : WORLD_SOCKET,
                                 .user = draw(), .task = (uint32_t)number(), .session = (uint32_t)below(3),
                                 .max_per_host = (uint32_t)below(3), .pool = (uint32_t)below(3),
                                 .workers = (uint32_t)number(), .id = number(), .file = number(), .count = number(),
                                 .window = below(2) ? (uint32_t)number() : 0};
    char data[1024] = "";
    if (submit.op == WORLD_FINISH && below(40))
        submit.op = WORLD_HTTP;         /* most runs are to be longer */
    fill(&submit, data);
    if (below(99) == 0)
        submit.lengths[below(4)] = (uint32_t)number();
    script_submit(script, submit, data);
}

/* A message that is nearly right: some of its bytes are another's. */
static void mangled(struct script *script)
{
    uint64_t words[32];
    for (size_t i = 0; i < 32; i++)
        words[i] = number();
    size_t size = below(4) ? 8 * (1 + below(31)) : 1 + below(sizeof words - 1);
    struct wire_head head = {below(4) ? 1 + (uint32_t)below(10) : (uint32_t)number(),
                             below(8) ? (uint32_t)size : (uint32_t)number()};
    memcpy(words, &head, sizeof head);
    script_bytes(script, words, size);
}

static void say(struct script *script)
{
    struct wire_wait wait = {.until = below(2) ? INT64_MAX : (int64_t)number(), .max = below(99) ? 64 : number()};
    struct wire_block block = {.ns = below(60) ? 1 + (int64_t)below(9000000) : (int64_t)number()};
    struct wire_cancel cancel = {.id = number()};
    struct wire_choose choose = {.what = (uint32_t)below(2), .n = 1 + (uint32_t)below(3)};
    struct wire_returned returned = {.rc = (int32_t)number(),
                                     .ns = below(9) ? (int64_t)below(5000) : (int64_t)number()};
    uint64_t what = below(100);
    if (what < 40)
        submit(script);
    else if (what < 65)
        script_say(script, WIRE_WAIT, &wait, sizeof wait);
    else if (what < 75)
        script_say(script, WIRE_BLOCK, &block, sizeof block);
    else if (what < 90)
        script_say(script, WIRE_CANCEL, &cancel, sizeof cancel);
    else if (what < 97 && script->settings.tape)
        script_say(script, WIRE_CHOOSE, &choose, sizeof choose);
    else if (what < 97)
        script_submit(script, (struct wire_submit){.op = WORLD_HTTP_READ, .id = below(9), .count = number()}, "");
    else if (what < 98)
        script_say(script, WIRE_RETURNED, &returned, sizeof returned);
    else
        mangled(script);
}

/* A job is handed over and waited for: what follows is said while it runs, until RETURNED. */
static void hand_over_a_job(struct script *script)
{
    struct wire_submit job = {.op = WORLD_JOB, .fn = 1, .pool = (uint32_t)below(3), .workers = 2};
    struct wire_returned returned = {.rc = 1, .ns = (int64_t)below(10000)};
    script_submit(script, job, "");
    script_wait(script, INT64_MAX);
    if (below(10) == 0)
        say(script);
    script_say(script, WIRE_RETURNED, &returned, sizeof returned);
}

/* ---- Runs ----------------------------------------------------------------------------------------------- */

/* The record ends with the line that says that the program has left, or with what the world did then. */
static void expect_whole(const char *record)
{
    const char *leave = strstr(record, "\"from\":\"judge\",\"ev\":\"leave\"");
    if (!leave || strstr(strchr(leave, '\n'), "\"ev\":\"leave\"") || record[strlen(record) - 1] != '\n')
        fail_msg("the record is not whole: %s", record);
}

static long run(uint64_t seed)
{
    static struct script script;
    state_of_chance = seed;
    script_begin(&script, world);
    script.settings.tape = below(2) ? "1=1,3=2" : NULL;
    long n = 1 + (long)below(MOST_IN_A_RUN);
    if (below(99))
        script_hello(&script);
    for (long i = 0; i < n; i++)
        if (below(8))
            say(&script);
        else
            hand_over_a_job(&script);
    if (below(2))
        script_finish(&script);
    expect_whole(script_end(&script));
    const char *messages = strstr(script.text, "\"messages\":");
    return messages ? atol(messages + strlen("\"messages\":")) : 0;
}

int main(int argc, char **argv)
{
    long wanted = argc > 1 ? atol(argv[1]) : 10000, taken = 0, runs = 0;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    for (; taken < wanted; runs++)
        taken += run(seed + (uint64_t)runs);
    printf("%ld messages in %ld runs\n", taken, runs);
    return 0;
}
