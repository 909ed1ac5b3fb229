/* Optical flow. It runs on the caller's thread: a picture takes about a millisecond, and whoever
 * wants its flow has a network to run meanwhile. */
#include "compute/cpu/cpu.h"
#include "compute/flow.h"

/* The widest moment of lucas_kanade (three levels of a, b, u and v, and 9 planes of the finest with
 * 4 rows) and of refine (20 planes and 18 half ones). */
enum { PLANES = 20, HALVES = 18, ROWS = 4 };

static void flow(Backend *be, const Flow *f) {
    int64_t floats = PLANES * flow_plane(f->width, f->height) +
                     HALVES * flow_half(f->width, f->height) + ROWS * flow_plane(f->width, 1);
    float *scratch = cpu_scratch(be, (size_t)floats * sizeof *scratch);
    if (!scratch)
        return;
    cpu_of(be)->kn->lucas_kanade(f, scratch);
    cpu_of(be)->kn->refine(f, scratch);
}

void cpu_flow(Backend *be) {
    be->flow = flow;
}
