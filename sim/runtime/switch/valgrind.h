/* valgrind.h - the three questions that we have for valgrind, without its header: whether that one was installed when
 * the kit was built changes nothing.
 *
 * A question is six words whose address lies in one register, and then instructions that together do nothing; valgrind
 * knows them and answers in another register. Elsewhere they cost a nanosecond, and the answer is the one given along.
 */
#ifndef LOOPLAB_VALGRIND_H
#define LOOPLAB_VALGRIND_H

#include <stdint.h>

/* Asks `request` with two arguments. Returns valgrind's answer, or `otherwise` where there is no valgrind. */
static inline uintptr_t valgrind_ask(uintptr_t otherwise, uintptr_t request, uintptr_t first, uintptr_t second)
{
    volatile uintptr_t question[6] = {request, first, second, 0, 0, 0};
    uintptr_t answer = otherwise;
    (void)question;             /* on other machines */
#if defined(__x86_64__)
    __asm__ volatile("rolq $3, %%rdi\n\trolq $13, %%rdi\n\trolq $61, %%rdi\n\trolq $51, %%rdi\n\t"
                     "xchgq %%rbx, %%rbx"
                     : "+d"(answer) : "a"(&question[0]) : "cc", "memory");
#elif defined(__aarch64__)
    __asm__ volatile("mov x3, %0\n\tmov x4, %1\n\t"
                     "ror x12, x12, #3\n\tror x12, x12, #13\n\tror x12, x12, #51\n\tror x12, x12, #61\n\t"
                     "orr x10, x10, x10\n\tmov %0, x3"
                     : "+r"(answer) : "r"(&question[0]) : "cc", "memory", "x3", "x4");
#endif
    return answer;
}

/* Whether the program runs under valgrind. */
static inline int on_valgrind(void) { return valgrind_ask(0, 0x1001, 0, 0) != 0; }

/* Tells of a stack from `low` to `high` (the address after its last byte). Returns its number. */
static inline uint32_t valgrind_stack(const void *low, const void *high)
{
    return (uint32_t)valgrind_ask(0, 0x1501, (uintptr_t)low, (uintptr_t)high);
}

/* The stack with this number is no more. */
static inline void valgrind_no_stack(uint32_t number) { valgrind_ask(0, 0x1502, number, 0); }

#endif
