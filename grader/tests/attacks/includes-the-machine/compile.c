/* A file of the machine is taken in. */
__asm__(".section .rodata\n.global taken\ntaken: .incbin \"/etc/passwd\"\n.previous");
