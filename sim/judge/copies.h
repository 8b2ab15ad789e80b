/* copies.h - a judge that is started once, and copied for each run.
 *
 * To start is most of what a short run costs. Whoever starts it with `judge --copies FD`, FD being one end of a
 * SOCK_SEQPACKET socket pair, sends it a message a run: the words of the command line (the program's name first), each
 * with a NUL behind it, and four open files, which the copy finds under fixed numbers:
 *
 *     COPY_SERVE     the connection to the program         --serve 10
 *     COPY_WORLD     the world's text                      --world /proc/self/fd/11
 *     COPY_RECORD    where the record goes                 --record fd:12
 *     2              what the copy has to say, and in the end its exit code in a line of its own
 *
 * No file of a run has a name that anybody could find. The copies end when the first process does, and that one does
 * when the socket is closed.
 */
#ifndef JUDGE_COPIES_H
#define JUDGE_COPIES_H

enum { COPY_SERVE = 10, COPY_WORLD, COPY_RECORD };

/* Makes a copy for each message at fd, which calls serve with its words; until there are no more, or a message is none.
 * Returns the exit code of the first process. */
int judge_copies(int fd, int (*serve)(int argc, char **argv));

#endif
