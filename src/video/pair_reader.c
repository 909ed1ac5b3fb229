#include "video/pair_reader.h"

#include <math.h>

#include "base/err.h"
#include "base/mem.h"
#include "video/reader.h"
#include "video/sampler.h"
#include "video/window.h"

enum { SPACING_FRAMES = 16 }; /* of the mean */

/* Seconds in which a server may send what it kept, from its last key frame on: no sign that scoring
 * is slow. */
static const double BACKLOG = 2;

struct PairReader {
    PairReaderConfig config;
    Reader *reader;
    Sampler sampler;
    Window window;
    Frame frame;
    double last, spacing; /* seconds of the last frame; the mean so far */
    int spacings;
    double began; /* when the connection's first frame came, UTC */
};

int pair_reader_open(PairReader **out, const char *url, const SourceOptions *options,
                     const PairReaderConfig *config) {
    PairReader *r = mem_alloc(1, sizeof *r);
    if (!r)
        return ERR_FAIL;
    r->config = *config;
    r->last = r->began = NAN;
    sampler_start(&r->sampler, config->interval);
    Source *source = NULL;
    int code = window_open(&r->window, config->size, config->frames);
    if (!code)
        code = source_open_with(&source, url, options);
    if (!code)
        source_ignore(source, config->ignore);
    if (!code)
        code = reader_open(&r->reader, &source);
    source_free(&source);
    if (code)
        pair_reader_free(&r);
    else
        *out = r;
    return code;
}

void pair_reader_free(PairReader **out) {
    PairReader *r = *out;
    if (!r)
        return;
    reader_free(&r->reader);
    window_free(&r->window);
    frame_free(&r->frame);
    mem_free(r);
    *out = NULL;
}

static void measure(PairReader *r) {
    double distance = r->frame.seconds - r->last;
    r->last = r->frame.seconds;
    if (!(distance > 0) || r->frame.after_gap)
        return;
    r->spacings += r->spacings < SPACING_FRAMES;
    r->spacing += (distance - r->spacing) / r->spacings;
}

/* No prediction crosses a gap or a damaged frame. */
static PairState place(PairReader *r) {
    const Frame *f = &r->frame;
    if (f->after_gap || isnan(r->began))
        r->began = f->wall;
    if (f->after_gap || f->corrupt) {
        window_reset(&r->window);
        sampler_start(&r->sampler, r->config.interval);
    }
    if (f->corrupt)
        return PAIR_SHORT;
    if (!sampler_take(&r->sampler, f->seconds))
        return PAIR_BETWEEN;
    if (!window_push(&r->window, f))
        return PAIR_SHORT;
    if (!reader_is_late(r->reader))
        return PAIR_WHOLE;
    return f->wall < r->began + BACKLOG ? PAIR_BETWEEN : PAIR_LATE;
}

int pair_reader_next(PairReader *r, const Frame **frame, PairState *state) {
    int code = reader_next(r->reader, &r->frame);
    if (code)
        return code;
    measure(r);
    *state = place(r);
    *frame = &r->frame;
    return 0;
}

const uint8_t *pair_reader_x(const PairReader *r) {
    return window_x(&r->window);
}

const uint8_t *pair_reader_y(const PairReader *r) {
    return window_y(&r->window);
}

const SourceInfo *pair_reader_info(const PairReader *r) {
    return reader_info(r->reader);
}

double pair_reader_spacing(const PairReader *r) {
    return r->spacings == SPACING_FRAMES ? r->spacing : 0;
}
