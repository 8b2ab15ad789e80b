#!/bin/sh
# Linux: who connects to a server whose line is full asks again after 1, 2, 3, 4, 5 and 7 s, and not after 1, 3 and 7.
#
# Seen on Linux 6.18 (net.ipv4.tcp_syn_retries = 6, net.ipv4.tcp_syn_linear_timeouts = 4, their defaults).
#
# Every book has the SYN repeated after 1, 3, 7, 15, 31 and 63 s, and the end after 127. Since 6.5 the first four waits
# after the first are a second each as well (tcp_syn_linear_timeouts), then they double: 1, 2, 3, 4, 5, 7, 11, 19, 35,
# 67 s, and ETIMEDOUT after 131. So a crowd before a small server is let in after seconds, where it once took a quarter
# of a minute; a program tuned to the old pauses (or a simulation of them) is far off.
#
# What one expects: 1, 3, 7. What comes in the first 8 s: 1, 2, 3, 4, 5, 7.
#
# Exit 0: it is still so. 1: it has changed. 2: this kernel has no such setting, or another value of it.
set -eu

setting=/proc/sys/net/ipv4/tcp_syn_linear_timeouts
[ "$(cat "$setting" 2> /dev/null)" = 4 ] || { echo "$0: needs $setting = 4 (Linux 6.5 and later)" >&2; exit 2; }

seen=$(python3 -I - <<'PROGRAM'
import socket
import struct
import time

server, crowd = socket.socket(), []
server.bind(("127.0.0.1", 0))
server.listen(0)                                    # holds one
crowd.append(socket.create_connection(server.getsockname()))
late = socket.socket()
late.setblocking(False)
late.connect_ex(server.getsockname())
begin, seen = time.monotonic(), []
while time.monotonic() - begin < 8:
    sent_again, = struct.unpack_from("I", late.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192), 100)
    if sent_again > len(seen):                      # tcpi_total_retrans
        seen.append(round(time.monotonic() - begin))
    time.sleep(0.02)
print(*seen)
PROGRAM
)
echo "asked again after (s): $seen"
[ "$seen" = "1 2 3 4 5 7" ]
