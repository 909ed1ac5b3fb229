/* Reading frames of made-up footage: whatever fails ends the test with the message. */
#ifndef TESTS_FRAMES_H
#define TESTS_FRAMES_H

#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "fixture.h"
#include "video/source.h"

static inline Source *open_ok(const char *url) {
    Source *s = NULL;
    if (source_open(&s, url))
        fail_msg("%s", err_text());
    return s;
}

static inline void read_ok(Source *s, Frame *f) {
    if (source_read(s, f) || !frame_bgr(f))
        fail_msg("%s", err_text());
}

/* Largest difference between the frame and test picture `seed`. */
static inline int distance(const Frame *f, int seed) {
    int worst = 0;
    for (int y = 0, i = 0; y < f->height; y++)
        for (int x = 0; x < f->width; x++)
            for (int c = 0; c < 3; c++, i++) {
                int d = abs(f->bgr[i] - fixture_pixel(seed, x, y, c));
                worst = d > worst ? d : worst;
            }
    return worst;
}

#endif
