/* page.h - what a program in WebAssembly is told by the code that instrument.js puts into a student's file. */
#ifndef LOOPLAB_PAGE_H
#define LOOPLAB_PAGE_H

#include <stdint.h>

/* Where the last call from the student's file stands: what elsewhere is a return address. */
extern uintptr_t co__pc;

/* The lowest byte of the running stack. */
extern uintptr_t co__stack_low;

/* So many turns of loops may the student's file still make. */
extern uint32_t co__fuel;

/* A place of the kit's own, as a co__pc. */
enum { PLACE_OF_KIT = 1 << 30 };

/* The student's program cannot go on at co__pc: a signal's number as Linux has it; 0: its stack is full. */
_Noreturn void co__fault(int signal_number);

#endif
