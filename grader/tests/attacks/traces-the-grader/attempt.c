/* Attaches to the grader as a debugger. */
    if (ptrace(PTRACE_SEIZE, GRADER_PID, 0, 0) == 0 || ptrace(PTRACE_ATTACH, getppid(), 0, 0) == 0 ||
        ptrace(PTRACE_TRACEME, 0, 0, 0) == 0) gained();
