/* Talks to the network, or to a server of this machine. */
    if (socket(AF_INET, SOCK_STREAM, 0) >= 0 || socket(AF_UNIX, SOCK_DGRAM, 0) >= 0 || socket(AF_NETLINK,
        SOCK_RAW, 0) >= 0) gained();
