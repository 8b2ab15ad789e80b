/* random.c - ChaCha20's key stream (RFC 8439, 2.3). */
#include "random.h"

#include <string.h>

static uint32_t rotate(uint32_t x, int n)
{
    return x << n | x >> (32 - n);
}

static void quarter(uint32_t s[16], int a, int b, int c, int d)
{
    s[a] += s[b], s[d] = rotate(s[d] ^ s[a], 16);
    s[c] += s[d], s[b] = rotate(s[b] ^ s[c], 12);
    s[a] += s[b], s[d] = rotate(s[d] ^ s[a], 8);
    s[c] += s[d], s[b] = rotate(s[b] ^ s[c], 7);
}

void pt_random_block(const uint32_t key[8], uint32_t counter, const uint32_t nonce[3], uint8_t out[RANDOM_BLOCK])
{
    uint32_t begin[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}, s[16];
    memcpy(begin + 4, key, 32);
    begin[12] = counter;
    memcpy(begin + 13, nonce, 12);
    memcpy(s, begin, sizeof s);
    for (int i = 0; i < 10; i++) {
        for (int k = 0; k < 4; k++)
            quarter(s, k, 4 + k, 8 + k, 12 + k);
        for (int k = 0; k < 4; k++)
            quarter(s, k, 4 + (k + 1) % 4, 8 + (k + 2) % 4, 12 + (k + 3) % 4);
    }
    for (int i = 0; i < RANDOM_BLOCK; i++)
        out[i] = (uint8_t)((s[i / 4] + begin[i / 4]) >> (i % 4 * 8));
}

void pt_random_begin(struct random *random, const uint8_t seed[RANDOM_SEED])
{
    *random = (struct random){0};
    for (int i = 0; i < RANDOM_SEED; i++)
        random->key[i / 4] |= (uint32_t)seed[i] << (i % 4 * 8);
}

void pt_random_take(struct random *random, void *out, size_t size)
{
    static const uint32_t nonce[3];
    uint8_t *at = out;
    while (size > 0) {
        if (random->left == 0) {
            pt_random_block(random->key, random->block++, nonce, random->bytes);
            random->left = RANDOM_BLOCK;
        }
        size_t n = size < random->left ? size : random->left;
        memcpy(at, random->bytes + RANDOM_BLOCK - random->left, n);
        random->left -= n;
        at += n;
        size -= n;
    }
}
