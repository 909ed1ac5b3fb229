#include "score/kept_frames.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"

int kept_frames_open(KeptFrames *k, int64_t values, int64_t bytes) {
    int64_t most = bytes / (values * (int64_t)sizeof *k->value) / 2 * 2;
    *k = (KeptFrames){.values = values, .stride = 1, .most = most < 2 ? 2 : most};
    k->value = mem_alloc_pages((size_t)(k->most * values) * sizeof *k->value);
    return k->value ? 0 : ERR_FAIL;
}

void kept_frames_free(KeptFrames *k) {
    mem_free_pages(k->value);
    *k = (KeptFrames){0};
}

static void forget_every_second(KeptFrames *k) {
    for (int64_t i = 0; 2 * i < k->count; i++)
        memmove(k->value + i * k->values, k->value + 2 * i * k->values,
                (size_t)k->values * sizeof *k->value);
    k->count /= 2;
    k->stride *= 2;
}

int16_t *kept_frames_add(KeptFrames *k) {
    if (k->count == k->most)
        forget_every_second(k);
    return k->seen++ % k->stride ? NULL : k->value + k->count++ * k->values;
}

const int16_t *kept_frames_at(const KeptFrames *k, int64_t frame) {
    return k->value + frame * k->values;
}
