#!/bin/sh
# libcurl: a mail whose list of recipients has run empty is not sent, and all is well.
#
# Seen on libcurl 7.88.1 (Debian 12's packages libcurl4 and libcurl4-openssl-dev 7.88.1-10+deb12u15).
#
# A program sends a mail by SMTP: CURLOPT_UPLOAD, CURLOPT_MAIL_FROM, a callback that hands out the text, and in
# CURLOPT_MAIL_RCPT a list of recipients, which is NULL when a filter has left nobody on it (an empty curl_slist is
# NULL). SMTP knows no mail without a recipient: RFC 5321 has a server answer DATA without RCPT with 503 or 554. By its
# manual page CURLOPT_UPLOAD makes libcurl perform an upload. So one expects an error: of the server, or of libcurl.
#
# libcurl returns CURLE_OK. It greets the server, asks it for HELP, and says goodbye. The callback is never called; the
# server's help is handed to the write callback, as if it were what was asked for. All that tells of it is that no byte
# was uploaded, and the response code: 214 instead of 250. With one recipient the same program sends the mail.
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

cat >mail.c <<'PROGRAM'
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

static const char *left = "Subject: marks\r\n\r\nThey are out.\r\n";
static int asked;

static size_t hand_out(char *to, size_t size, size_t n, void *of)
{
    size_t length = strlen(left) < size * n ? strlen(left) : size * n;
    memcpy(to, left, length);
    left += length;
    asked++;
    (void)of;
    return length;
}

static size_t take(char *data, size_t size, size_t n, void *to)
{
    (void)data;
    *(size_t *)to += size * n;
    return size * n;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURL *easy = curl_easy_init();
    struct curl_slist *recipients = NULL;
    size_t taken = 0;
    for (int i = 2; i < argc; i++)
        recipients = curl_slist_append(recipients, argv[i]);
    curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_MAIL_FROM, "<course@example.org>");
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, recipients);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, hand_out);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &taken);
    CURLcode result = curl_easy_perform(easy);
    long code = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
    printf("result %d, code %ld, the mail was%s asked for, %s was taken", result, code, asked ? "" : " not",
           taken ? "something" : "nothing");
    curl_slist_free_all(recipients);
    curl_easy_cleanup(easy);
    return 0;
}
PROGRAM

cat >server.py <<'PROGRAM'
import socket
import subprocess

ANSWERS = {"EHLO": "250 here", "MAIL": "250 OK", "RCPT": "250 OK", "HELP": "214 see RFC 5321", "QUIT": "221 bye"}

with socket.create_server(("127.0.0.1", 0)) as listener:
    listener.settimeout(20)
    for recipients in [], ["<student@example.org>"]:
        url = f"smtp://127.0.0.1:{listener.getsockname()[1]}/client"
        client = subprocess.Popen(["./mail", url] + recipients, stdout=subprocess.PIPE, text=True)
        heard = []
        connection = listener.accept()[0]
        connection.settimeout(20)
        with connection, connection.makefile("rb") as lines:
            connection.sendall(b"220 here\r\n")
            while line := lines.readline():
                heard.append(line.decode().split()[0].partition(":")[0])
                if heard[-1] == "DATA" and "RCPT" in heard:
                    connection.sendall(b"354 go on\r\n")
                    while lines.readline() not in (b".\r\n", b""):
                        pass
                    connection.sendall(b"250 OK\r\n")
                elif heard[-1] == "QUIT":
                    break                           # who says so does not always wait for the answer
                else:
                    connection.sendall(ANSWERS.get(heard[-1], "503 no").encode() + b"\r\n")
        print(f"{len(recipients)} recipients: {client.communicate(timeout=20)[0]} ({' '.join(heard)})",
              end="\n" if recipients else "; ")
PROGRAM
gcc mail.c -o mail -lcurl >log 2>&1 || { cat log >&2; exit 2; }
seen=$(timeout 60 /usr/bin/python3.11 -I server.py) || seen="$seen (exit $?)"
wanted="0 recipients: result 0, code 214, the mail was not asked for, something was taken (EHLO HELP QUIT); \
1 recipients: result 0, code 250, the mail was asked for, nothing was taken (EHLO MAIL RCPT DATA QUIT)"
echo "libcurl $version: $seen"
[ "$seen" = "$wanted" ] || { echo "$0: it was: $wanted" >&2; exit 1; }
