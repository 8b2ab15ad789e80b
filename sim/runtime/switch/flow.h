/* flow.h - what a flow in WebAssembly has of its own besides its place (switch_wasm.c). A student's file is compiled
 * there with code that writes and reads it (grader/page/js/instrument.js).
 */
#ifndef SWITCH_FLOW_H
#define SWITCH_FLOW_H

#include <stdint.h>

/* Where the last call from the student's file stands: what elsewhere is a return address. */
extern uintptr_t co__pc;

/* The lowest byte of the running stack. */
extern uintptr_t co__stack_low;

#endif
