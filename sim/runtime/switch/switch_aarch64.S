/* switch_aarch64.S - the switch for aarch64, AAPCS64 (its section 6.1 lists what a function must keep: x19-x28,
 * the frame pointer x29, the link register x30, and the low halves of v8-v15). See switch_x86_64.S for the why. */
#if defined(__aarch64__) && defined(__linux__) && !defined(CO_UCONTEXT)

        .macro save_all
        sub     sp, sp, #160
        .cfi_adjust_cfa_offset 160
        stp     x19, x20, [sp, #0]
        stp     x21, x22, [sp, #16]
        stp     x23, x24, [sp, #32]
        stp     x25, x26, [sp, #48]
        stp     x27, x28, [sp, #64]
        stp     x29, x30, [sp, #80]
        .cfi_rel_offset x29, 80
        .cfi_rel_offset x30, 88
        stp     d8, d9, [sp, #96]
        stp     d10, d11, [sp, #112]
        stp     d12, d13, [sp, #128]
        stp     d14, d15, [sp, #144]
        mov     x9, sp
        str     x9, [x0]                /* from here on the old flow can be resumed */
        .endm

        .macro resume_from context
        ldr     x9, [\context]
        mov     sp, x9                  /* the same layout lies on the other stack  */
        ldp     x19, x20, [sp, #0]
        ldp     x21, x22, [sp, #16]
        ldp     x23, x24, [sp, #32]
        ldp     x25, x26, [sp, #48]
        ldp     x27, x28, [sp, #64]
        ldp     x29, x30, [sp, #80]
        .cfi_restore x29
        .cfi_restore x30
        ldp     d8, d9, [sp, #96]
        ldp     d10, d11, [sp, #112]
        ldp     d12, d13, [sp, #128]
        ldp     d14, d15, [sp, #144]
        add     sp, sp, #160
        .cfi_def_cfa_offset 0
        ret
        .endm

        .text
        .globl  co__switch
        .type   co__switch, %function
        .p2align 4
/* int co__switch(struct context *from [x0], struct context *to [x1], int value [w2]) */
co__switch:
        .cfi_startproc
        save_all
        mov     w0, w2
        resume_from x1
        .cfi_endproc
        .size   co__switch, .-co__switch

        .globl  co__jump
        .type   co__jump, %function
        .p2align 4
/* int co__jump(struct context *to [x0], int value [w1]) */
co__jump:
        .cfi_startproc
        mov     x10, x0
        mov     w0, w1
        resume_from x10
        .cfi_endproc
        .size   co__jump, .-co__jump

        .globl  co__switch_new
        .type   co__switch_new, %function
        .p2align 4
/* int co__switch_new(struct context *from [x0], void *top [x1], void (*entry)(void *) [x2], void *arg [x3]) */
co__switch_new:
        .cfi_startproc
        save_all
        mov     sp, x1
        b       co__context_start
        .cfi_endproc
        .size   co__switch_new, .-co__switch_new

        .globl  co__context_start
        .hidden co__context_start
        .type   co__context_start, %function
        .p2align 4
/* The first frame of every task: entry [x2] gets its argument [x3]. No caller: the walk ends here. */
co__context_start:
        .cfi_startproc
        .cfi_undefined x30
        mov     x29, #0
        mov     x30, #0
        mov     x0, x3
        blr     x2
        brk     #1                      /* entry never returns */
        .cfi_endproc
        .size   co__context_start, .-co__context_start
#endif

/* No stack of this program needs to be executable. */
        .section .note.GNU-stack,"",%progbits
