#include "eval/alarms.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"

const double alarm_recalls[ALARM_RECALLS] = {0.5, 0.8, 0.95};

typedef struct {
    double score;
    int64_t frame;
} Item;

static int descending(const void *a, const void *b) {
    double x = ((const Item *)a)->score, y = ((const Item *)b)->score;
    return (x < y) - (x > y);
}

/* The runs of frames over a falling threshold. `other` and `abnormal` are valid at the two end
 * frames of a run only: the other end, and whether the run has an abnormal frame. */
typedef struct {
    bool *over, *begins, *abnormal; /* begins: the first frame of a clip */
    int64_t *other;
    int64_t n, false_alarms;
} Runs;

static void join(Runs *r, int64_t left, int64_t right) {
    int64_t first = r->other[left], last = r->other[right];
    bool a = r->abnormal[left], b = r->abnormal[right];
    r->false_alarms -= !a + !b - !(a || b);
    r->other[first] = last;
    r->other[last] = first;
    r->abnormal[first] = r->abnormal[last] = a || b;
}

static void rise(Runs *r, int64_t i, bool abnormal) {
    r->over[i] = true;
    r->other[i] = i;
    r->abnormal[i] = abnormal;
    r->false_alarms += !abnormal;
    if (!r->begins[i] && r->over[i - 1])
        join(r, i - 1, i);
    if (i + 1 < r->n && !r->begins[i + 1] && r->over[i + 1])
        join(r, i, i + 1);
}

/* Lowers the threshold from score to score. */
static void sweep(Alarms *out, Runs *r, const Item *items, const uint8_t *label, int64_t abnormal,
                  double fps, double budget) {
    double hours = (double)(r->n - abnormal) / fps / 3600;
    int64_t hits = 0;
    int reached = 0;
    bool within = true;
    for (int64_t i = 0; i < r->n;) {
        double score = items[i].score;
        for (; i < r->n && items[i].score == score; i++) {
            rise(r, items[i].frame, label[items[i].frame]);
            hits += label[items[i].frame];
        }
        double rate = (double)r->false_alarms / hours; /* NaN without normal frames */
        while (reached < ALARM_RECALLS && hits > 0 &&
               (double)hits >= alarm_recalls[reached] * (double)abnormal)
            out->per_hour[reached++] = rate;
        within = within && !(rate > budget);
        if (within)
            out->threshold = score;
    }
}

static void measure_events(Alarms *out, const double *score, const uint8_t *label,
                           const bool *begins, int64_t n) {
    int64_t frames = 0;
    for (int64_t i = 0, start = 0; i < n; i++) {
        bool new = label[i] && (begins[i] || !label[i - 1]);
        if (new) {
            out->events++;
            start = i;
        }
        if (!label[i] || start < 0 || score[i] < out->threshold)
            continue;
        out->detected++;
        frames += i - start;
        start = -1; /* until the next event */
    }
    out->delay = out->detected ? (double)frames / (double)out->detected : NAN;
}

int alarms_measure(Alarms *out, const double *score, const uint8_t *label,
                   const int64_t *clip_length, int clips, double fps, double budget) {
    int64_t n = 0, abnormal = 0;
    for (int c = 0; c < clips; c++)
        n += clip_length[c];
    for (int64_t i = 0; i < n; i++)
        abnormal += label[i];
    size_t room = (size_t)n + 1;
    Item *items = mem_alloc(room, sizeof *items);
    Runs r = {.over = mem_alloc(room, sizeof *r.over),
              .begins = mem_alloc(room, sizeof *r.begins),
              .abnormal = mem_alloc(room, sizeof *r.abnormal),
              .other = mem_alloc(room, sizeof *r.other),
              .n = n};
    int code = items && r.over && r.begins && r.abnormal && r.other ? 0 : ERR_FAIL;
    if (!code) {
        *out = (Alarms){.per_hour = {NAN, NAN, NAN}, .threshold = INFINITY, .delay = NAN};
        for (int64_t i = 0; i < n; i++)
            items[i] = (Item){score[i], i};
        for (int64_t c = 0, i = 0; c < clips; i += clip_length[c++])
            r.begins[i] = true;
        qsort(items, (size_t)n, sizeof *items, descending);
        sweep(out, &r, items, label, abnormal, fps, budget);
        measure_events(out, score, label, r.begins, n);
    }
    mem_free(r.other);
    mem_free(r.abnormal);
    mem_free(r.begins);
    mem_free(r.over);
    mem_free(items);
    return code;
}

double alarms_smallest(int64_t normal, double fps) {
    return 3600 * fps / (double)normal;
}
