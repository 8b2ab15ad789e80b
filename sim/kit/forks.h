/* forks.h - a program that is started once, and copied for each run.
 *
 * To start is most of what a short run costs: the loader, and the sanitizers' setting up. So the grader may start a
 * lab's program with LOOPLAB_FORKS=N, N being one end of a SOCK_SEQPACKET socket pair. Before the program's own
 * constructors and main() have run it then answers these messages there, each a list of words that end in a NUL:
 *
 *     -> (nothing)                                              ready
 *     <- run SECONDS FOLDER WORD...  with open files            PID
 *     <- end PID                                                STATUS MICROSECONDS KIBIBYTES
 *     <- series SECONDS              with a socket, twice       PID
 *
 * The copy itself answers with its PID: where the program is in a space of processes of its own the kernel tells
 * whoever asked (SO_PASSCRED) what the copy is called out there; to "end" it is called as it has said.
 *
 * "run" makes a copy that goes on as the program would: in FOLDER, with these words as its command line, two files as
 * stdout and stderr, a third, if there is one, as descriptor FORKS_JUDGE (its connection to a judge), its processor
 * time limited to SECONDS, in a process group of its own, and shut in: it can make no other process and send no signal
 * to one. "end" waits for a copy and tells how it ended: what wait4() says, its processor time, its largest memory.
 * The copies end when the first process does, and that one does when the grader closes the socket.
 *
 * To copy is most of what a short run with sanitizers costs. "series" makes a copy for many runs, one after the other,
 * of which it is told on that socket as above; it answers each when the run is over and has come to its end:
 *
 *     <- run SECONDS FOLDER WORD...  with open files            CODE CLEAN MICROSECONDS
 *
 * The SECONDS of a run do not count there: all runs together have those of the series. CODE is what main() would
 * have returned, CLEAN whether as much memory is in use as before, and MICROSECONDS the processor time of all runs so
 * far. A run that ends the process (a crash, exit(), a finding of the sanitizers) is never answered, and what the
 * program keeps in static variables goes from run to run: so whoever asks for a series makes each run that is not quite
 * as expected once more, in a copy of its own.
 */
#ifndef KIT_FORKS_H
#define KIT_FORKS_H

#include <stdbool.h>

enum { FORKS_JUDGE = 100 };             /* the grader writes the same number into --judge (running/judge.py) */

/* In a copy, puts its own words in place of the command line; they live as long as the process, or the run of a series.
 * Else does nothing. */
void forks_command(int *argc, char ***argv);

/* A run is over: code is what main() would return, clean whether it left no memory in use. True in a copy that makes
 * runs one after the other: forks_command() has the next one, or ends the process. */
bool forks_again(int code, bool clean);

#endif
