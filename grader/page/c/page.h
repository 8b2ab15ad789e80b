/* page.h - what the code that instrument.js puts into a student's file uses besides flow.h. */
#ifndef LOOPLAB_PAGE_H
#define LOOPLAB_PAGE_H

#include "runtime/switch/flow.h"

/* So many turns of loops may the student's file still make. */
extern uint32_t co__fuel;

/* A place of the kit's own, as a co__pc. */
enum { PLACE_OF_KIT = 1 << 30 };

/* The student's program cannot go on at co__pc: a signal's number as Linux has it; 0: its stack is full. */
_Noreturn void co__fault(int signal_number);

#endif
