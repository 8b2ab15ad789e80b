/* Opens what somebody else has handed in. */
    show(OTHER);
