/* switch_x86_64.S - the switch for x86-64, System V ABI (its section 3.2.1 lists what a function must keep).
 *
 * The CFI lines tell a debugger how to walk back: through a switch, and no further than a task's first frame.
 * The CPU predicts where a `ret` goes from the calls it has seen. Tasks mostly wait in the same few places, so
 * after a switch it is right surprisingly often; jumping to the address instead would leave its list of calls one off
 * and make every later `ret` a surprise (measured: 18 ns a switch, not 8).
 */
#if defined(__x86_64__) && defined(__linux__) && !defined(CO_UCONTEXT)

        .macro save reg
        pushq   %\reg
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %\reg, 0
        .endm

        .macro restore reg
        popq    %\reg
        .cfi_adjust_cfa_offset -8
        .cfi_restore %\reg
        .endm

        .macro save_all
        save    rbp
        save    rbx
        save    r12
        save    r13
        save    r14
        save    r15
        .endm

        .macro restore_all
        restore r15
        restore r14
        restore r13
        restore r12
        restore rbx
        restore rbp
        .endm

        .text
        .globl  co__switch
        .type   co__switch, @function
        .p2align 4
/* int co__switch(struct context *from [rdi], struct context *to [rsi], int value [edx]) */
co__switch:
        .cfi_startproc
        save_all
        movq    %rsp, (%rdi)            /* from here on the old flow can be resumed */
        movl    %edx, %eax
        movq    (%rsi), %rsp            /* the same layout lies on the other stack  */
        restore_all
        ret
        .cfi_endproc
        .size   co__switch, .-co__switch

        .globl  co__jump
        .type   co__jump, @function
        .p2align 4
/* int co__jump(struct context *to [rdi], int value [esi])
 * Here no `ret`: the call that brought us here belongs to the frame that is left, whose own return the next task's
 * function will make (task.c, co__task_start). */
co__jump:
        .cfi_startproc
        movl    %esi, %eax
        movq    (%rdi), %rsp            /* where all registers are on the stack */
        .cfi_adjust_cfa_offset 48
        .cfi_rel_offset rbp, 40
        .cfi_rel_offset rbx, 32
        .cfi_rel_offset r12, 24
        .cfi_rel_offset r13, 16
        .cfi_rel_offset r14, 8
        .cfi_rel_offset r15, 0
        restore_all
        popq    %rcx
        .cfi_adjust_cfa_offset -8
        .cfi_register rip, rcx
        jmp     *%rcx
        .cfi_endproc
        .size   co__jump, .-co__jump

        .globl  co__switch_new
        .type   co__switch_new, @function
        .p2align 4
/* int co__switch_new(struct context *from [rdi], void *top [rsi], void (*entry)(void *) [rdx], void *arg [rcx]) */
co__switch_new:
        .cfi_startproc
        save_all
        movq    %rsp, (%rdi)
        movq    %rsi, %rsp
        jmp     co__context_start
        .cfi_endproc
        .size   co__switch_new, .-co__switch_new

        .globl  co__context_start
        .hidden co__context_start
        .type   co__context_start, @function
        .p2align 4
/* The first frame of every task: entry [rdx] gets its argument [rcx]. No caller: the walk ends here. */
co__context_start:
        .cfi_startproc
        .cfi_undefined %rip
        xorl    %ebp, %ebp
        movq    %rcx, %rdi
        callq   *%rdx
        ud2                             /* entry never returns */
        .cfi_endproc
        .size   co__context_start, .-co__context_start
#endif

/* No stack of this program needs to be executable. */
        .section .note.GNU-stack,"",%progbits
