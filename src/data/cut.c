#include "data/cut.h"

#include <math.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/clip_times.h"

static const double STEP = 0.1; /* seconds of a frame without a time */

typedef enum { PART_LEARN, PART_CALIBRATE, PART_NEITHER } PartKind;

/* What a moment is for. The period is a circle: its start may be near the end of the block. */
static PartKind kind_at(const Cut *c, double seconds) {
    double period = c->block * c->every, middle = (floor(c->every / 2.0) + 0.5) * c->block;
    double away = fabs(remainder(seconds - middle, period)) - c->block / 2;
    return away < 0 ? PART_CALIBRATE : away < c->margin ? PART_NEITHER : PART_LEARN;
}

static int add_part(Split *out, const Clip *clip, int64_t first, int64_t frames, double seconds) {
    Clip *clips = mem_grow(out->clips, (size_t)out->count, (size_t)out->count + 1, sizeof *clips);
    if (!clips)
        return ERR_FAIL;
    out->clips = clips;
    clips[out->count] = (Clip){.name = mem_printf("%s+%.0fs", clip->name, seconds),
                               .url = mem_printf("%s", clip->url),
                               .frames = frames,
                               .part = true,
                               .first = first};
    out->count++;
    return clips[out->count - 1].name && clips[out->count - 1].url ? 0 : ERR_FAIL;
}

/* The seconds of the clip's frames from its first one on. */
static int times_of(const Clip *clip, double **seconds, int64_t *n) {
    int code = clip_times(clip, seconds, n);
    if (code || *seconds)
        return code;
    *seconds = mem_alloc((size_t)*n + 1, sizeof **seconds);
    for (int64_t i = 0; *seconds && i < *n; i++)
        (*seconds)[i] = STEP * (double)i;
    return *seconds ? 0 : ERR_FAIL;
}

/* How long the clip lasts: until a frame after its last would come. */
static double length_of(const double *seconds, int64_t n) {
    double step = clip_times_spacing(seconds, n);
    return n ? seconds[n - 1] - seconds[0] + (step > 0 ? step : STEP) : 0;
}

typedef struct {
    Split *split[PART_NEITHER]; /* by kind */
    const Cut *cut;
    int64_t least;
    double at; /* seconds of all clips before */
} Cutter;

static int cut_clip(Cutter *c, const Clip *clip) {
    double *seconds = NULL;
    int64_t n = 0, begin = 0;
    int code = times_of(clip, &seconds, &n);
    PartKind kind = PART_NEITHER;
    for (int64_t i = 0; i <= n && !code; i++) {
        PartKind now = i < n ? kind_at(c->cut, c->at + seconds[i] - seconds[0]) : PART_NEITHER;
        if (i < n && i && now == kind)
            continue;
        if (i && kind != PART_NEITHER && i - begin >= c->least)
            code = add_part(c->split[kind], clip, clip->first + begin, i - begin,
                            seconds[begin] - seconds[0]);
        kind = now;
        begin = i;
    }
    if (!code)
        c->at += length_of(seconds, n);
    mem_free(seconds);
    return code ? err_context(code, "clip %s", clip->name) : 0;
}

int cut_split(Split *learn, Split *calibrate, const Split *all, const Cut *cut, int64_t least) {
    Split parts[PART_NEITHER] = {{0}};
    Cutter c = {{&parts[PART_LEARN], &parts[PART_CALIBRATE]}, cut, least, 0};
    int code = 0;
    for (int i = 0; i < all->count && !code; i++)
        code = cut_clip(&c, &all->clips[i]);
    if (code) {
        split_free(&parts[PART_LEARN]);
        split_free(&parts[PART_CALIBRATE]);
        return code;
    }
    *learn = parts[PART_LEARN];
    *calibrate = parts[PART_CALIBRATE];
    return 0;
}

int cut_seconds(double *seconds, const Split *all) {
    *seconds = 0;
    for (int i = 0; i < all->count; i++) {
        double *times = NULL;
        int64_t n = 0;
        int code = times_of(&all->clips[i], &times, &n);
        if (!code)
            *seconds += length_of(times, n);
        mem_free(times);
        if (code)
            return err_context(code, "clip %s", all->clips[i].name);
    }
    return 0;
}
