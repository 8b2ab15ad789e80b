/* random.h - bytes that nobody can foresee who does not know the seed: ChaCha20's key stream (RFC 8439, 2.3). What a
 * client masks its frames with must be of that kind (RFC 6455, 5.3). */
#ifndef PROTOCOL_RANDOM_H
#define PROTOCOL_RANDOM_H

#include <stddef.h>
#include <stdint.h>

enum { RANDOM_SEED = 32, RANDOM_BLOCK = 64 };

struct random {
    uint32_t key[8];
    /* The number of the next block. */
    uint32_t block;
    /* The block at hand, of which `left` bytes at its end are unused. */
    uint8_t bytes[RANDOM_BLOCK];
    size_t left;
};

void pt_random_begin(struct random *random, const uint8_t seed[RANDOM_SEED]);
void pt_random_take(struct random *random, void *out, size_t size);
/* One block of the key stream, as the RFC has it. */
void pt_random_block(const uint32_t key[8], uint32_t counter, const uint32_t nonce[3], uint8_t out[RANDOM_BLOCK]);

#endif
