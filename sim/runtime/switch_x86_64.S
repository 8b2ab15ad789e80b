/* switch_x86_64.S - the switch for x86-64, System V ABI (its section 3.2.1 lists what a function must keep).
 * The CFI lines tell a debugger how to walk back: through a switch, and no further than a task's first frame. */
#if defined(__x86_64__) && defined(__linux__) && !defined(CO_UCONTEXT)

        .text
        .globl  co__switch
        .type   co__switch, @function
        .p2align 4
/* void co__switch(struct context *from [rdi], struct context *to [rsi]) */
co__switch:
        .cfi_startproc
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbp, 0
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbx, 0
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r12, 0
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r13, 0
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r14, 0
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r15, 0
        movq    %rsp, (%rdi)            /* from here on the old flow can be resumed */
        movq    (%rsi), %rsp            /* the same layout lies on the other stack  */
        popq    %r15
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r15
        popq    %r14
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r14
        popq    %r13
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r13
        popq    %r12
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r12
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbx
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbp
        /* Not ret: its address was not pushed by the last call, so the CPU's return predictor would be wrong. */
        popq    %rcx
        .cfi_adjust_cfa_offset -8
        .cfi_register %rip, %rcx
        jmpq    *%rcx
        .cfi_endproc
        .size   co__switch, .-co__switch

        .globl  co__context_start
        .hidden co__context_start
        .type   co__context_start, @function
        .p2align 4
/* The first frame of every task: entry [r13] gets its argument [r12]. No caller: the walk ends here. */
co__context_start:
        .cfi_startproc
        .cfi_undefined %rip
        xorl    %ebp, %ebp
        movq    %r12, %rdi
        callq   *%r13
        ud2                             /* entry never returns */
        .cfi_endproc
        .size   co__context_start, .-co__context_start
#endif

/* No stack of this program needs to be executable. */
        .section .note.GNU-stack,"",%progbits
