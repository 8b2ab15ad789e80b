/* Puts a folder with a file in it where its trace should be. */
    unlink("../trace"); mkdir("../trace", 0700); append_quietly("../trace/x");
