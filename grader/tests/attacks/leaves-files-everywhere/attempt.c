/* Leaves word for later runs wherever anybody may write. */
    append("/tmp/looplab-left"); append("/var/tmp/looplab-left"); append("/dev/shm/looplab-left");
