#include "video/scene_day.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "video/draw.h"
#include "video/scene_paint.h"

enum { SCENE_RATE = 25 };                 /* frames a second of scene.h's clips */
enum { DAWN = 6, DUSK = 20, HOURS = 24 }; /* infra-red before and after */

/* Streams of RNG_SCENE of a day, above those of clips (scene.c). */
enum { STREAM_EVENTS = 1000, STREAM_HOURS, STREAM_RAIN, STREAM_CARS, STREAM_GRAIN };

static Rng stream(const SceneDay *d, uint32_t which) {
    return rng_stream(d->seed, RNG_SCENE, (uint32_t)d->day, which);
}

/* ---- the schedule ---- */

/* One an hour, of each kind in turn from a random one on: about a minute of it, in the middle of
 * which something odd happens; what is dropped lies for ten minutes. */
void day_events(const SceneDay *day, DayEvent out[DAY_EVENTS]) {
    static const SceneKind kinds[] = {SCENE_RUNNER, SCENE_CYCLIST, SCENE_WRONG_WAY, SCENE_DROPPED,
                                      SCENE_INTRUDER};
    enum { KINDS = sizeof kinds / sizeof *kinds };
    Rng r = stream(day, STREAM_EVENTS);
    int first = (int)(KINDS * rng_uniform(&r, 0));
    for (int i = 0; i < DAY_EVENTS; i++) {
        SceneKind kind = kinds[(first + i) % KINDS];
        double lasts = kind == SCENE_DROPPED ? 1500 : 60;
        double begin = 3600 * i + (3600 - lasts) * rng_uniform(&r, (uint64_t)i + 1);
        out[i] = (DayEvent){begin, begin + lasts, kind};
    }
}

/* ---- weather ---- */

/* What an hour of the day is like; it goes over into the next one. */
static double of_hour(const SceneDay *d, uint64_t which, double hour) {
    Rng r = stream(d, STREAM_HOURS);
    uint64_t now = (uint64_t)hour % HOURS, next = (now + 1) % HOURS;
    double share = hour - floor(hour);
    return (1 - share) * rng_uniform(&r, HOURS * which + now) +
           share * rng_uniform(&r, HOURS * which + next);
}

static double clip_to(double x, double low, double high) {
    return fmin(fmax(x, low), high);
}

/* From 0 to 1. */
static double rain_at(const SceneDay *d, double hour) {
    return clip_to(4 * (of_hour(d, 0, hour) - 0.7), 0, 1);
}

static double wind_at(const SceneDay *d, double hour) {
    return clip_to(2 * (of_hour(d, 1, hour) - 0.4), 0, 1);
}

/* The share of all walkers who come: many when people go to work, to eat and home, few at night. */
static double walkers_at(double hour) {
    static const double rush[] = {8.5, 12.5, 17.5};
    double share = hour < DAWN || hour > 22 ? 0.04 : 0.25;
    for (int i = 0; i < 3; i++)
        share += 0.7 * exp(-0.5 * (hour - rush[i]) * (hour - rush[i]) / 0.25);
    return share;
}

/* ---- light ---- */

static uint8_t level(double x) {
    return (uint8_t)clip_to(x + 0.5, 0, 255);
}

/* Daylight rises after dawn and falls before dusk, warmer when it is low; clouds pass. */
static void shine(const SceneDay *d, double seconds, uint8_t *bgr, int64_t pixels) {
    double hour = seconds / 3600, high = sin(M_PI * (hour - DAWN + 0.5) / (DUSK - DAWN + 1));
    double cloud = 0.85 + 0.15 * cos(seconds / 97 + 3 * sin(seconds / 411)) * of_hour(d, 2, hour);
    double gain = (0.45 + 0.55 * sqrt(clip_to(high, 0, 1))) * cloud, blue = 0.8 + 0.2 * high;
    for (int64_t i = 0; i < pixels; i++) {
        uint8_t *p = bgr + 3 * i;
        p[0] = level(p[0] * gain * blue);
        p[1] = level(p[1] * gain * (0.9 + 0.1 * high));
        p[2] = level(p[2] * gain);
    }
}

/* Infra-red is grey, and brighter near the lamp at the camera. */
static void shine_dark(uint8_t *bgr, int width, int height) {
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            uint8_t *p = bgr + 3 * ((int64_t)y * width + x);
            double dx = (x + 0.5) / width - 0.5, dy = (y + 0.5) / height - 0.8;
            double grey = 0.114 * p[0] + 0.587 * p[1] + 0.299 * p[2];
            memset(p, level(grey * (0.7 - 0.6 * (dx * dx + dy * dy)) + 6), 3);
        }
}

/* At night a car comes by behind the plaza every few minutes: two lights and what they shine on. */
static void pass_car(const SceneDay *d, double seconds, uint8_t *bgr, int width, int height) {
    enum { PERIOD = 180, PASSES = 4 };
    Rng r = stream(d, STREAM_CARS);
    uint64_t car = (uint64_t)(seconds / PERIOD);
    double since = seconds - PERIOD * ((double)car + 0.9 * rng_uniform(&r, 2 * car));
    if (since < 0 || since > PASSES)
        return;
    double across = -0.2 + 1.4 * since / PASSES;
    double at = rng_uniform(&r, 2 * car + 1) < 0.5 ? across : 1 - across;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            double dx = (x + 0.5) / width - at, dy = (y + 0.5) / height - 0.46;
            double glow =
                170 * exp(-(dx * dx + dy * dy) / 0.002) + 60 * exp(-(dx * dx + 3 * dy * dy) / 0.06);
            uint8_t *p = bgr + 3 * ((int64_t)y * width + x);
            for (int c = 0; c < 3; c++)
                p[c] = level(p[c] + glow);
        }
}

/* ---- what is before the lens ---- */

static void fall(const SceneDay *d, double seconds, double rain, Canvas c) {
    Rng r = rng_stream(d->seed, RNG_SCENE, (uint32_t)d->day,
                       STREAM_RAIN + (uint32_t)(10 * seconds) * 8);
    int drops = (int)(rain * c.width / 3);
    for (int i = 0; i < drops; i++) {
        int x = (int)(c.width * rng_uniform(&r, (uint64_t)(2 * i)));
        int y = (int)(c.height * rng_uniform(&r, (uint64_t)(2 * i + 1)));
        draw_line(c, x, y, x + c.width / 80, y + c.height / 12, (Colour){190, 190, 185});
    }
}

/* A branch hangs into the upper left corner. */
static void hang_branch(double seconds, double wind, Canvas c) {
    double sway = (0.15 + 2.2 * wind) * sin(2.1 * seconds) * (1 + 0.4 * sin(0.37 * seconds));
    for (int i = 0; i < 40; i++) {
        double x = (i * 37 % 29) + sway * (1 + i % 3), y = i * 53 % 23 + 0.4 * sway * (i % 2);
        int w = c.width / 40, h = c.height / 40;
        draw_fill(c, (int)lround(x * c.width / SCENE_WIDTH),
                  (int)lround(y * c.height / SCENE_HEIGHT), w, h,
                  (Colour){(uint8_t)(40 + i), (uint8_t)(80 + 2 * i), (uint8_t)(50 + i)});
    }
}

/* The picture as a camera in the wind sees it: moved by parts of a pixel. */
static void shake(uint8_t *bgr, int width, int height, double dx, double dy, uint8_t *line) {
    for (int k = 0; k < 2; k++) {
        double by = k ? dy : dx;
        int n = k ? height : width, others = k ? width : height;
        int64_t step = k ? 3 * (int64_t)width : 3;
        int whole = (int)floor(by);
        double share = by - whole;
        for (int o = 0; o < others; o++) {
            uint8_t *from = bgr + (k ? 3 * (int64_t)o : 3 * (int64_t)width * o);
            for (int i = 0; i < n; i++)
                memcpy(line + 3 * i, from + step * i, 3);
            for (int i = 0; i < n; i++)
                for (int c = 0; c < 3; c++) {
                    int a = i - whole, b = a - 1;
                    a = a < 0 ? 0 : a > n - 1 ? n - 1 : a;
                    b = b < 0 ? 0 : b > n - 1 ? n - 1 : b;
                    from[step * i + c] =
                        level((1 - share) * line[3 * a + c] + share * line[3 * b + c]);
                }
        }
    }
}

static void grain(const SceneDay *d, double seconds, double deviation, uint8_t *bgr, int64_t n) {
    Rng r = rng_stream(d->seed, RNG_SCENE, (uint32_t)d->day,
                       STREAM_GRAIN + (uint32_t)(10 * seconds) * 8);
    for (int64_t i = 0; i < n; i += 16) {
        uint32_t draw[4];
        rng_block(&r, (uint32_t)(i / 16), draw);
        for (int k = 0; k < 16 && i + k < n; k++) { /* a triangle of two draws of four bits */
            uint32_t bits = draw[k / 4] >> (8 * (k % 4));
            double noise = (double)(bits & 15) + (double)(bits >> 4 & 15) - 15;
            bgr[i + k] = level(bgr[i + k] + noise * deviation / 6.5);
        }
    }
}

/* ---- a frame ---- */

/* The event that is under way; NULL: none. */
static const DayEvent *event_at(const SceneDay *d, double seconds, DayEvent events[DAY_EVENTS]) {
    day_events(d, events);
    for (int i = 0; i < DAY_EVENTS && d->anomalies; i++)
        if (seconds >= events[i].begin && seconds < events[i].end)
            return &events[i];
    return NULL;
}

static void paint(const SceneDay *d, double seconds, uint8_t *bgr, uint8_t *mask) {
    DayEvent events[DAY_EVENTS];
    const DayEvent *e = event_at(d, seconds, events);
    SceneClip street = {d->seed, d->width, d->height, d->day, 0, SCENE_NORMAL}, odd = street;
    if (e) {
        odd.kind = e->kind;
        odd.frames = (int)(SCENE_RATE * (e->end - e->begin));
        odd.clip = (int)(DAY_EVENTS * (d->day + 1) + (e - events)); /* each looks different */
    }
    scene_paint(&street, SCENE_RATE * seconds, walkers_at(seconds / 3600), e ? &odd : NULL,
                e ? SCENE_RATE * (seconds - e->begin) : 0, bgr, mask);
}

int day_draw(const SceneDay *d, double seconds, Frame *f, uint8_t *mask) {
    int code = frame_reserve(f, d->width, d->height);
    int64_t pixels = (int64_t)d->width * d->height;
    int longer = d->width > d->height ? d->width : d->height;
    uint8_t *own = code ? NULL : mem_alloc((size_t)(pixels + 3 * longer), 1);
    if (!own)
        return ERR_FAIL;
    double hour = seconds / 3600, wind = wind_at(d, hour), rain = rain_at(d, hour);
    bool dark = hour < DAWN || hour >= DUSK;
    Canvas c = {f->bgr, d->width, d->height};
    mask = mask ? mask : own;
    paint(d, seconds, f->bgr, mask);
    hang_branch(seconds, wind, c);
    if (dark)
        shine_dark(f->bgr, d->width, d->height);
    else
        shine(d, seconds, f->bgr, pixels);
    if (dark)
        pass_car(d, seconds, f->bgr, d->width, d->height);
    if (rain > 0)
        fall(d, seconds, rain, c);
    if (wind > 0.5)
        shake(f->bgr, d->width, d->height, wind * sin(8.3 * seconds), wind * sin(5.9 * seconds + 1),
              own + pixels);
    char clock[16];
    snprintf(clock, sizeof clock, "%02d:%02d:%02d", (int)hour, (int)seconds / 60 % 60,
             (int)seconds % 60);
    draw_text(c, d->width - 54, 3, 1, (Colour){235, 235, 235}, clock);
    grain(d, seconds, dark ? 3 : 1.5, f->bgr, 3 * pixels);
    bool abnormal = scene_mask(mask, pixels);
    mem_free(own);
    f->seconds = seconds;
    f->corrupt = false;
    return abnormal;
}
