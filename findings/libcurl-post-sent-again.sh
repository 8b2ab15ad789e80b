#!/bin/sh
# libcurl: one POST is carried out four times, and the program sees one success.
#
# Seen on libcurl 7.88.1 (Debian 12's packages libcurl4 and libcurl4-openssl-dev 7.88.1-10+deb12u15).
#
# A server that goes down, or is in a hurry, may carry out a request that came over a kept connection and close the
# connection before it has answered. RFC 9110, "Idempotent Methods", asks clients not to repeat a POST by themselves
# unless they know that it does no harm or was never applied; the option for the number of retries is the curl tool's,
# and off. So one expects an error, CURLE_GOT_NOTHING, and to be the one who decides.
#
# libcurl sends the POST again by itself, over another idle connection if it has one, and so from one to the next. Only
# where a *new* connection ends without an answer is that an error. Here three connections lie idle; the server does
# what it is asked, closes each of them, and answers over a fourth. The program sees CURLE_OK and status 200; no
# redirect is counted, and the bytes of the body that were sent are those of one request. With CURLOPT_FRESH_CONNECT
# the POST goes out once.
#
# Exit 0: it is still so. 1: it has changed. 2: this is another version, or none.
set -eu

version=7.88.1-10+deb12u15
for tool in gcc dpkg-query timeout /usr/bin/python3.11; do
    command -v "$tool" >/dev/null || { echo "$0: needs $tool" >&2; exit 2; }
done
for package in libcurl4 libcurl4-openssl-dev; do
    here=$(dpkg-query -W -f '${Version}' "$package" 2>/dev/null) || here=none
    [ "$here" = "$version" ] || { echo "$0: tried with $package $version, here is $here" >&2; exit 2; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM
cd "$work"

cat >post.c <<'PROGRAM'
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

static size_t forget(char *data, size_t size, size_t n, void *to)
{
    (void)data, (void)to;
    return size * n;
}

static CURL *asks(const char *url)
{
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, forget);
    return easy;
}

static CURLcode perform(CURLM *multi)
{
    CURLcode result = CURLE_OK;
    CURLMsg *message;
    int running = 1, left;
    while (running && curl_multi_perform(multi, &running) == CURLM_OK && running)
        curl_multi_poll(multi, NULL, 0, 1000, NULL);
    while ((message = curl_multi_info_read(multi, &left)))
        result = message->data.result ? message->data.result : result;
    return result;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURLM *multi = curl_multi_init();
    CURL *gets[3], *post = asks(argv[1]);
    for (int i = 0; i < 3; i++)                     // three at once: three connections, idle afterwards
        curl_multi_add_handle(multi, gets[i] = asks(argv[1]));
    CURLcode opened = perform(multi);
    for (int i = 0; i < 3; i++)
        curl_multi_remove_handle(multi, gets[i]);

    long status = 0, redirects = 0;
    curl_off_t sent = 0;
    curl_easy_setopt(post, CURLOPT_POSTFIELDS, "pay=1");
    curl_easy_setopt(post, CURLOPT_FRESH_CONNECT, (long)(strcmp(argv[2], "fresh") == 0));
    curl_multi_add_handle(multi, post);
    CURLcode result = perform(multi);
    curl_easy_getinfo(post, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(post, CURLINFO_REDIRECT_COUNT, &redirects);
    curl_easy_getinfo(post, CURLINFO_SIZE_UPLOAD_T, &sent);
    printf("opened %d, result %d, status %ld, %ld redirects, %ld bytes sent",
           opened, result, status, redirects, (long)sent);
    return 0;
}
PROGRAM

cat >server.py <<'PROGRAM'
import socket
import subprocess
import threading

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
done = 0                                            # so many POSTs were carried out
gets = threading.Barrier(3)                         # no GET is answered before all three are here


def serve(connection):
    global done
    kept = False
    with connection, connection.makefile("rb") as lines:
        while request := lines.readline():
            length = 0
            while (line := lines.readline()) not in (b"\r\n", b""):
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            lines.read(length)
            if request.startswith(b"POST"):
                done += 1
                if kept:
                    return                          # carried out, and closed without an answer
            else:
                gets.wait()
            connection.sendall(ANSWER)
            kept = True


def accept(listener):
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


with socket.create_server(("127.0.0.1", 0)) as listener:
    threading.Thread(target=accept, args=(listener,), daemon=True).start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    for fresh in "kept", "fresh":
        done = 0
        run = subprocess.run(["./post", url, fresh], capture_output=True, text=True, timeout=20)
        print(f"{fresh}: {run.stdout}, carried out {done} times", end="; " if fresh == "kept" else "\n")
PROGRAM
gcc post.c -o post -lcurl >log 2>&1 || { cat log >&2; exit 2; }
seen=$(timeout 40 /usr/bin/python3.11 -I server.py) || seen="$seen (exit $?)"
wanted="kept: opened 0, result 0, status 200, 0 redirects, 5 bytes sent, carried out 4 times; \
fresh: opened 0, result 0, status 200, 0 redirects, 5 bytes sent, carried out 1 times"
echo "libcurl $version: $seen"
[ "$seen" = "$wanted" ] || { echo "$0: it was: $wanted" >&2; exit 1; }
