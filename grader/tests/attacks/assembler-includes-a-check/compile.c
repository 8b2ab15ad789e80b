/* The assembler is told to read a hidden check as code, and quotes what it does not understand. */
__asm__(".include \"HIDDEN\"");
