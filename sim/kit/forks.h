/* forks.h - a program that is started once, and copied for each run.
 *
 * To start is most of what a short run costs: the loader, and the sanitizers' setting up. So the grader may start a
 * lab's program with LOOPLAB_FORKS=N, N being one end of a SOCK_SEQPACKET socket pair. Before the program's own
 * constructors and main() have run it then answers these messages there, each a list of words that end in a NUL:
 *
 *     -> (nothing)                                              ready
 *     <- run SECONDS FOLDER WORD...  with two open files        PID
 *     <- end PID                                                STATUS MICROSECONDS KIBIBYTES
 *
 * "run" makes a copy that goes on as the program would: in FOLDER, with these words as its command line, the two files
 * as stdout and stderr, its processor time limited to SECONDS, in a process group of its own, and shut in: it can make
 * no other process and send no signal to one. "end" waits for a copy and tells how it ended: what wait4() says, its
 * processor time, its largest memory. The copies end when the first process does, and that one does when the grader
 * closes the socket.
 */
#ifndef KIT_FORKS_H
#define KIT_FORKS_H

/* In a copy, puts its own words in place of the command line; they live as long as the process. Else does nothing. */
void forks_command(int *argc, char ***argv);

#endif
