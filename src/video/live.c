#include "video/live.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/stop.h"

static const double FIRST_WAIT = 1, LONGEST_WAIT = 60; /* seconds between two tries */

struct Live {
    char *url, *name;
    SourceOptions options;
    const atomic_bool *cancel;
    Stream *stream; /* NULL while it is lost */
    Rng jitter;
    uint32_t draws;
    double wait;             /* before the next try */
    double came;             /* when the last frame came, on the monotonic clock */
    double seconds;          /* of the last frame; NaN: none had a time */
    double shift;            /* from the stream's seconds to ours */
    int64_t next;            /* index of the next frame */
    bool after_gap, resumes; /* resumes: `shift` is not known yet */
};

int live_open(Live **out, Stream **stream, const char *url, const char *name,
              const SourceOptions *options, const atomic_bool *cancel) {
    Live *l = mem_alloc(1, sizeof *l);
    if (!l)
        return ERR_FAIL;
    l->url = mem_printf("%s", url);
    l->name = mem_printf("%s", name);
    l->options = *options;
    l->cancel = cancel;
    l->jitter = rng_stream((uint64_t)(1e6 * clock_utc()), RNG_RECONNECT, 0, 0);
    l->wait = FIRST_WAIT;
    l->came = clock_seconds();
    l->seconds = NAN;
    if (!l->url || !l->name) {
        live_free(&l);
        return ERR_FAIL;
    }
    l->stream = *stream;
    *stream = NULL;
    *out = l;
    return 0;
}

void live_free(Live **out) {
    Live *l = *out;
    if (!l)
        return;
    stream_free(&l->stream);
    mem_free(l->url);
    mem_free(l->name);
    mem_free(l);
    *out = NULL;
}

static bool stopping(const Live *l) {
    return stop_requested() || *l->cancel;
}

/* Many cameras that were lost together must not all come back at the same moment. */
static void pause_before_try(Live *l) {
    double wait = l->wait * (0.75 + 0.5 * rng_uniform(&l->jitter, l->draws++));
    double end = clock_seconds() + wait;
    while (!stopping(l) && clock_seconds() < end)
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    l->wait = fmin(2 * l->wait, LONGEST_WAIT);
}

static void lose(Live *l) {
    stream_free(&l->stream);
    l->after_gap = true;
    l->wait = FIRST_WAIT;
    log_warn("%s; connecting again", err_text());
}

static int connect_again(Live *l) {
    while (!l->stream) {
        SourceInfo info;
        pause_before_try(l);
        if (stopping(l))
            return err_set(ERR_STOPPED, "%s: stopped", l->name);
        (void)stream_open(&l->stream, l->url, l->name, l->options.timeout, l->cancel, &info);
    }
    return 0;
}

/* The seconds of a new connection begin with what has passed. RTSP's first frame may have none. */
static double seconds_of(Live *l, double stamp, double elapsed) {
    double now = l->seconds + elapsed;
    if (!isfinite(stamp))
        return now;
    if (l->resumes)
        l->shift = isfinite(now) ? now - stamp : 0;
    l->resumes = false;
    return stamp + l->shift;
}

/* The frame's place in our row. */
static void place(Live *l, Frame *f) {
    double now = clock_seconds(), elapsed = now - l->came;
    if (l->after_gap)
        log_info("%s: is back after %.0f s", l->name, elapsed);
    l->resumes |= l->after_gap;
    f->index = l->next++;
    f->seconds = seconds_of(l, f->seconds, elapsed);
    f->after_gap = l->after_gap;
    l->after_gap = false;
    l->came = now;
    l->seconds = f->seconds;
}

int live_read(Live *l, Frame *f) {
    for (;;) {
        int code = connect_again(l);
        if (!code)
            code = stream_read(l->stream, f);
        if (!code) {
            place(l, f);
            return 0;
        }
        if (code == ERR_END)
            code = err_set(ERR_FAIL, "%s: the stream ended", l->name);
        if (code == ERR_STOPPED || stopping(l) || l->options.no_reconnect)
            return code;
        lose(l);
    }
}
