/* The assembler is told to take in the built reference. */
__asm__(".section .rodata\n.global taken\ntaken: .incbin \"REFERENCE\"\n.previous");
