#include "camera/sustained.h"

#include <math.h>

#include "base/err.h"
#include "base/mem.h"

void sustained_open(Sustained *s, double hold) {
    *s = (Sustained){.hold = hold, .begun = NAN};
}

void sustained_free(Sustained *s) {
    mem_free(s->frame);
    s->frame = NULL;
    s->first = s->count = s->room = 0;
}

void sustained_reset(Sustained *s) {
    s->count = 0;
    s->begun = NAN;
}

static SustainedFrame *frame_at(const Sustained *s, int64_t i) {
    return &s->frame[(s->first + i) % s->room];
}

static int make_room(Sustained *s) {
    int64_t room = s->room ? 2 * s->room : 64;
    if (s->count < s->room)
        return 0;
    SustainedFrame *larger = mem_alloc((size_t)room, sizeof *larger);
    if (!larger)
        return ERR_FAIL;
    for (int64_t i = 0; i < s->count; i++)
        larger[i] = *frame_at(s, i);
    mem_free(s->frame);
    s->frame = larger;
    s->first = 0;
    s->room = room;
    return 0;
}

int sustained_add(Sustained *s, double value, double seconds, double *out) {
    if (s->count)
        frame_at(s, s->count - 1)->until = seconds;
    while (s->count && frame_at(s, s->count - 1)->value >= value)
        s->count--; /* this frame is less and stays longer */
    if (make_room(s))
        return ERR_FAIL;
    *frame_at(s, s->count++) = (SustainedFrame){value, INFINITY};
    while (frame_at(s, 0)->until <= seconds - s->hold) {
        s->first = (s->first + 1) % s->room;
        s->count--;
    }
    if (isnan(s->begun))
        s->begun = seconds;
    *out = seconds - s->begun >= s->hold ? frame_at(s, 0)->value : 0;
    return 0;
}
