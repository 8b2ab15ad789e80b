/* Writes a result of its own where the grader writes. */
    append(OUT);
