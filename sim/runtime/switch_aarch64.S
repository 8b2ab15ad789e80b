/* switch_aarch64.S - the switch for aarch64, AAPCS64 (its section 6.1 lists what a function must keep: x19-x28,
 * the frame pointer x29, the link register x30, and the low halves of v8-v15). */
#if defined(__aarch64__) && defined(__linux__) && !defined(CO_UCONTEXT)

        .text
        .globl  co__switch
        .type   co__switch, %function
        .p2align 4
/* void co__switch(struct context *from [x0], struct context *to [x1]) */
co__switch:
        .cfi_startproc
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
        ldr     x9, [x1]
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
        .cfi_adjust_cfa_offset -160
        br      x30                     /* not ret: the return predictor would be wrong */
        .cfi_endproc
        .size   co__switch, .-co__switch

        .globl  co__context_start
        .hidden co__context_start
        .type   co__context_start, %function
        .p2align 4
/* The first frame of every task: entry [x20] gets its argument [x19]. No caller: the walk ends here. */
co__context_start:
        .cfi_startproc
        .cfi_undefined x30
        mov     x29, #0
        mov     x0, x19
        blr     x20
        brk     #1                      /* entry never returns */
        .cfi_endproc
        .size   co__context_start, .-co__context_start
#endif

/* No stack of this program needs to be executable. */
        .section .note.GNU-stack,"",%progbits
