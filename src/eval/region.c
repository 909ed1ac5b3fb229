#include "eval/region.h"

#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"

/* Called beta and alpha in the literature. */
static const double least_overlap = 0.1, least_share = 0.1;

/* A box to find. */
typedef struct {
    TrackBox at;
    bool found;
} Target;

typedef struct {
    Target *target; /* by clip and frame */
    int64_t count, tracks;
    int64_t *length, *hits; /* of each track */
    int64_t boxes_found, tracks_found;
} Search;

static int compare(int64_t a, int64_t b) {
    return (a > b) - (a < b);
}

static int compare_places(int clip_a, int64_t frame_a, int clip_b, int64_t frame_b) {
    int clips = compare(clip_a, clip_b);
    return clips ? clips : compare(frame_a, frame_b);
}

static int compare_targets(const void *a, const void *b) {
    const TrackBox *x = &((const Target *)a)->at, *y = &((const Target *)b)->at;
    return compare_places(x->clip, x->frame, y->clip, y->frame);
}

/* Sorts the highest score first. */
static int compare_detections(const void *a, const void *b) {
    float x = ((const Detection *)a)->score, y = ((const Detection *)b)->score;
    return (x < y) - (x > y);
}

static int search_open(Search *s, const Tracks *truth) {
    *s = (Search){.target = mem_alloc((size_t)truth->count, sizeof *s->target),
                  .length = mem_alloc((size_t)truth->tracks, sizeof *s->length),
                  .hits = mem_alloc((size_t)truth->tracks, sizeof *s->hits),
                  .count = truth->count,
                  .tracks = truth->tracks};
    if (!s->target || !s->length || !s->hits)
        return ERR_FAIL;
    for (int64_t i = 0; i < s->count; i++) {
        s->target[i].at = truth->item[i];
        s->length[truth->item[i].track]++;
    }
    qsort(s->target, (size_t)s->count, sizeof *s->target, compare_targets);
    return 0;
}

static void search_free(Search *s) {
    mem_free(s->target);
    mem_free(s->length);
    mem_free(s->hits);
}

/* Index of the first target in the detection's frame, or where such a target would be. */
static int64_t first_target(const Search *s, const Detection *d) {
    int64_t low = 0, high = s->count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        const TrackBox *t = &s->target[middle].at;
        if (compare_places(t->clip, t->frame, d->clip, d->frame) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool found_share(const Search *s, int64_t track) {
    return (double)s->hits[track] / (double)s->length[track] >= least_share;
}

/* Counts the boxes and tracks that the detection finds. Returns false if it is a false alarm. */
static bool take_detection(Search *s, const Detection *d) {
    bool overlaps = false;
    for (int64_t i = first_target(s, d); i < s->count; i++) {
        Target *t = &s->target[i];
        if (compare_places(t->at.clip, t->at.frame, d->clip, d->frame) != 0)
            break;
        if (box_iou(t->at.box, d->box) < least_overlap)
            continue;
        overlaps = true;
        if (t->found)
            continue;
        t->found = true;
        s->boxes_found++;
        bool before = found_share(s, t->at.track);
        s->hits[t->at.track]++;
        s->tracks_found += !before && found_share(s, t->at.track);
    }
    return overlaps;
}

/* The area below the straight line from `before` to `after` over `alarms` false alarms, cut off
 * after `room` of them. Whole numbers and halves are exact below 2^52. */
static double step_area(int64_t before, int64_t after, int64_t alarms, int64_t room) {
    if (alarms <= room)
        return (double)alarms * (double)(before + after) / 2;
    double width = (double)room;
    return width * ((double)before + (double)(after - before) * width / (double)alarms / 2);
}

/* Detections of equal score are one step of both curves, so their order does not matter. */
static void sweep(Search *s, const Detection *d, int64_t count, int64_t frames, double *rbdc,
                  double *tbdc) {
    double boxes = 0, tracks = 0;
    int64_t room = frames; /* false alarms left until there is one a frame */
    for (int64_t i = 0; i < count && room > 0;) {
        int64_t alarms = 0, old_boxes = s->boxes_found, old_tracks = s->tracks_found;
        for (float score = d[i].score; i < count && d[i].score == score; i++)
            alarms += !take_detection(s, &d[i]);
        boxes += step_area(old_boxes, s->boxes_found, alarms, room);
        tracks += step_area(old_tracks, s->tracks_found, alarms, room);
        room = alarms < room ? room - alarms : 0;
    }
    boxes += (double)room * (double)s->boxes_found;
    tracks += (double)room * (double)s->tracks_found;
    *rbdc = boxes / ((double)frames * (double)s->count);
    *tbdc = tracks / ((double)frames * (double)s->tracks);
}

int region_score(double *rbdc, double *tbdc, const Tracks *truth, Detection *d, int64_t count,
                 int64_t frames) {
    for (int64_t i = 0; i < count; i++)
        if (isnan(d[i].score))
            return err_set(ERR_FAIL, "the score of detection %lld of %lld is not a number",
                           (long long)i, (long long)count);
    if (truth->count == 0 || frames == 0) {
        *rbdc = *tbdc = NAN;
        return 0;
    }
    Search s;
    int code = search_open(&s, truth);
    if (!code) {
        qsort(d, (size_t)count, sizeof *d, compare_detections);
        sweep(&s, d, count, frames, rbdc, tbdc);
    }
    search_free(&s);
    return code;
}
