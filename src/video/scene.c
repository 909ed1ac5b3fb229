/* The positions of all figures over time. They depend only on the clip and the time, so there is no
 * state. Each lane gets one walker a period, at a random moment of the period. */
#include "video/scene.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "video/scene_paint.h"

const char *const scene_kind_names[SCENE_KINDS] = {"normal",    "runner",  "cyclist",
                                                   "wrong-way", "dropped", "intruder"};

/* A lane runs across the picture, with room on both sides to enter and leave unseen. Each lane has
 * its own direction and pace, so a walker's position tells its next one. */
typedef struct {
    float y_left, y_right; /* at the picture's borders */
    int direction;
    float pace;  /* pixels a frame */
    float scale; /* farther is smaller */
} Lane;

static const Lane lanes[] = {
    {50, 48, +1, 1.30f, 0.82f},
    {86, 77, -1, 1.60f, 1.00f},
    {114, 110, +1, 1.88f, 1.18f},
};

enum { LANES = 3, MAX_ACTORS = 24, MARGIN = 16, TRACK = SCENE_WIDTH + 2 * MARGIN };

#define WALK_SWING 0.45f /* of the legs, radians */
#define WALK_STRIDE 21.0 /* two steps, of a figure of scale 1 */

/* Streams of RNG_SCENE within a clip. The lanes use the streams below LANES. */
enum { STREAM_ANOMALY = LANES, STREAM_LIGHT, STREAM_NOISE = 16 };

typedef enum { ACTOR_LAMP, ACTOR_PLANTER, ACTOR_PERSON, ACTOR_CYCLIST, ACTOR_BAG } ActorKind;

typedef struct {
    ActorKind kind;
    bool anomaly;
    Figure figure;
    float height; /* height of a bag above the ground */
} Actor;

typedef struct {
    Actor actor[MAX_ACTORS];
    int count;
} Cast;

static double unit(uint32_t bits) {
    return bits * 0x1p-32;
}

static void add(Cast *cast, Actor a) {
    if (cast->count < MAX_ACTORS)
        cast->actor[cast->count++] = a;
}

/* A figure that has walked `along` pixels down the lane, `beside` pixels off its middle. */
static Figure on_lane(const Lane *lane, double along, float beside) {
    float x = (float)(lane->direction > 0 ? along - MARGIN : TRACK - MARGIN - along);
    float y = lane->y_left + (lane->y_right - lane->y_left) * x / SCENE_WIDTH + beside;
    return (Figure){.x = x, .y = y, .scale = lane->scale, .direction = lane->direction};
}

/* Walker number k of a lane: when it enters, how fast it is, how it looks. */
typedef struct {
    double enters, pace;
    double wish; /* from 0 to 1: comes where more than this share of all walkers does */
    float beside, scale;
    int clothes;
} Walker;

static double lane_period(const Lane *lane) {
    return TRACK / lane->pace / 1.55; /* a lane holds 1.55 walkers on average */
}

static Walker walker_of(const SceneClip *clip, int lane, int64_t k) {
    Rng r = rng_stream(clip->seed, RNG_SCENE, (uint32_t)clip->clip, (uint32_t)lane);
    uint32_t draw[4], more[4];
    rng_block(&r, (uint32_t)(k + 64), draw);
    rng_block(&r, (uint32_t)(k + 64) | 1U << 31, more);
    return (Walker){.wish = unit(more[0]),
                    .enters = lane_period(&lanes[lane]) * ((double)k + 0.5 * unit(draw[0])),
                    .pace = lanes[lane].pace * (0.95 + 0.1 * unit(draw[1])),
                    .beside = (float)(4 * unit(draw[2]) - 2),
                    .scale = (float)(0.97 + 0.06 * unit(draw[3])),
                    .clothes = (int)(draw[3] & 0xff)};
}

/* Number of the last walker whose period has begun by time t. The lane holds this walker and a few
 * before it. */
static int64_t last_walker(int lane, double t) {
    return (int64_t)floor(t / lane_period(&lanes[lane]));
}

/* The gait depends on the distance walked, not on time: a pose and its position tell the next
 * pose. */
static float gait(double along, float scale, double stride) {
    return (float)(2 * M_PI * along / (stride * scale));
}

static void add_walkers(Cast *cast, const SceneClip *clip, double t, double share) {
    for (int l = 0; l < LANES; l++) {
        int64_t last = last_walker(l, t);
        for (int64_t k = last - 3; k <= last; k++) {
            Walker w = walker_of(clip, l, k);
            double along = (t - w.enters) * w.pace;
            if (along < 0 || along > TRACK || w.wish >= share)
                continue;
            Actor a = {.kind = ACTOR_PERSON, .figure = on_lane(&lanes[l], along, w.beside)};
            a.figure.scale *= w.scale;
            a.figure.swing = WALK_SWING;
            a.figure.phase = gait(along, a.figure.scale, WALK_STRIDE);
            a.figure.clothes = w.clothes;
            add(cast, a);
        }
    }
}

/* Runner, cyclist and wrong way: the figure passes along one lane after the other. It makes as many
 * whole passes as fit into 40 % of the clip, and at least one. A clip shorter than a pass shows its
 * middle. */
static void add_passing(Cast *cast, const SceneClip *clip, double t, double factor) {
    Rng r = rng_stream(clip->seed, RNG_SCENE, (uint32_t)clip->clip, STREAM_ANOMALY);
    uint32_t draw[4];
    rng_block(&r, 0, draw);
    double n = clip->frames, whole = 0;
    int first = (int)(draw[0] % LANES), passes = 0;
    for (;; passes++) {
        double one = TRACK / (factor * lanes[(first + passes) % LANES].pace);
        if (passes && whole + one > 0.4 * n)
            break;
        whole += one;
    }
    if (whole > 0.8 * n && (t < 0.35 * n || t >= 0.75 * n))
        return;
    bool against = clip->kind == SCENE_WRONG_WAY, runs = clip->kind == SCENE_RUNNER;
    double begin = 0.55 * n - whole / 2;
    for (int p = 0; p < passes; p++) {
        const Lane *lane = &lanes[(first + p) % LANES];
        double pace = factor * lane->pace, along = (t - begin) * pace;
        begin += TRACK / pace;
        if (along < 0 || along >= TRACK)
            continue;
        Actor a = {.kind = clip->kind == SCENE_CYCLIST ? ACTOR_CYCLIST : ACTOR_PERSON,
                   .anomaly = true,
                   .figure = on_lane(lane, against ? TRACK - along : along, 3)};
        if (against)
            a.figure.direction = -a.figure.direction;
        a.figure.clothes = (int)(draw[1] & 0xff);
        a.figure.swing = runs ? 0.85f : WALK_SWING;
        a.figure.phase = gait(along, lane->scale, runs ? 40 : WALK_STRIDE);
        add(cast, a);
    }
}

/* The walker nearest to the middle of the picture loses a bag. The bag lies there until a later
 * walker of the lane takes it along, about 40 % of the clip later. */
static void add_bag(Cast *cast, const SceneClip *clip, double t) {
    double n = clip->frames, falls = 0.35 * n, taken = 0.75 * n;
    double place = 0, off = TRACK, wait = 0.15 * n;
    int lane = 0;
    for (int l = 0; l < LANES; l++) {
        int64_t last = last_walker(l, falls);
        for (int64_t k = last - 3; k <= last; k++) {
            Walker w = walker_of(clip, l, k);
            double along = (falls - w.enters) * w.pace;
            if (fabs(along - TRACK / 2.0) < off) {
                off = fabs(along - TRACK / 2.0);
                place = along;
                lane = l;
            }
        }
    }
    for (int64_t k = last_walker(lane, falls); k <= last_walker(lane, n); k++) {
        Walker w = walker_of(clip, lane, k);
        double comes = w.enters + place / w.pace;
        if (fabs(comes - 0.75 * n) < wait) {
            wait = fabs(comes - 0.75 * n);
            taken = comes;
        }
    }
    if (t < falls || t >= taken)
        return;
    Actor a = {.kind = ACTOR_BAG, .anomaly = true, .figure = on_lane(&lanes[lane], place, 2.5f)};
    a.height = (float)fmax(0, 9 * lanes[lane].scale - 0.25 * (t - falls) * (t - falls));
    add(cast, a);
}

/* The intruder comes a little way into the picture and goes back, slower than any walker. */
static void add_intruder(Cast *cast, const SceneClip *clip, double t) {
    Rng r = rng_stream(clip->seed, RNG_SCENE, (uint32_t)clip->clip, STREAM_ANOMALY);
    uint32_t draw[4];
    rng_block(&r, 1, draw);
    double length = 0.4 * clip->frames, u = (t - 0.35 * clip->frames) / length;
    if (!(u >= 0 && u < 1))
        return;
    const Lane *lane = &lanes[draw[0] % LANES];
    double reach = fmin(0.3 * length, 70), way = reach * sin(M_PI * u);
    Actor a = {.kind = ACTOR_PERSON, .anomaly = true};
    a.figure = on_lane(lane, MARGIN - 4 + way, 4);
    a.figure.scale *= 1.3f;
    a.figure.striped = true;
    a.figure.swing = 0.3f;
    a.figure.phase = gait(way, a.figure.scale, 14);
    add(cast, a);
}

static void add_anomaly(Cast *cast, const SceneClip *clip, double t) {
    switch (clip->kind) {
    case SCENE_RUNNER:
        add_passing(cast, clip, t, 3.4);
        break;
    case SCENE_CYCLIST:
        add_passing(cast, clip, t, 2.5);
        break;
    case SCENE_WRONG_WAY:
        add_passing(cast, clip, t, 1);
        break;
    case SCENE_DROPPED:
        add_bag(cast, clip, t);
        break;
    case SCENE_INTRUDER:
        add_intruder(cast, clip, t);
        break;
    case SCENE_NORMAL:
    case SCENE_KINDS:
        break;
    }
}

/* Sorts from far to near, so that near figures cover far ones. */
static void sort_by_depth(Cast *cast) {
    for (int i = 1; i < cast->count; i++) {
        Actor a = cast->actor[i];
        int j = i;
        for (; j > 0 && cast->actor[j - 1].figure.y > a.figure.y; j--)
            cast->actor[j] = cast->actor[j - 1];
        cast->actor[j] = a;
    }
}

static void paint_actor(Easel *e, const Actor *a) {
    e->anomaly = a->anomaly;
    switch (a->kind) {
    case ACTOR_LAMP:
        paint_lamp(e);
        break;
    case ACTOR_PLANTER:
        paint_planter(e);
        break;
    case ACTOR_PERSON:
        paint_person(e, &a->figure);
        break;
    case ACTOR_CYCLIST:
        paint_cyclist(e, &a->figure);
        break;
    case ACTOR_BAG:
        paint_bag(e, a->figure.x, a->figure.y, a->figure.scale, a->height);
        break;
    }
}

/* Adds slow changes of daylight and the sensor's noise. The noise is the number of ones in eight
 * random bits, minus four: nearly normal, with deviation 1.41. */
static void expose(const SceneClip *clip, int64_t index, uint8_t *bgr, int64_t n) {
    Rng sky = rng_stream(clip->seed, RNG_SCENE, (uint32_t)clip->clip, STREAM_LIGHT);
    double turn = (double)index / 450 + rng_uniform(&sky, 0);
    float gain = (float)(1 + 0.03 * sin(2 * M_PI * turn));
    Rng noise =
        rng_stream(clip->seed, RNG_SCENE, (uint32_t)clip->clip, STREAM_NOISE + (uint32_t)index);
    for (int64_t i = 0; i < n; i += 16) {
        uint32_t draw[4];
        uint8_t ones[16];
        rng_block(&noise, (uint32_t)(i / 16), draw);
        for (int k = 0; k < 4; k++) {
            uint32_t v = draw[k];
            v -= (v >> 1) & 0x55555555;
            v = (v & 0x33333333) + ((v >> 2) & 0x33333333);
            v = (v + (v >> 4)) & 0x0f0f0f0f;
            for (int j = 0; j < 4; j++)
                ones[4 * k + j] = (uint8_t)(v >> (8 * j));
        }
        for (int k = 0; k < 16 && i + k < n; k++) {
            float value = bgr[i + k] * gain + (float)ones[k] - 3.5f;
            bgr[i + k] = (uint8_t)fminf(fmaxf(value, 0), 255);
        }
    }
}

bool scene_mask(uint8_t *mask, int64_t pixels) {
    int any = 0;
    for (int64_t i = 0; i < pixels; i++) {
        mask[i] = mask[i] >= 128 ? 255 : 0;
        any |= mask[i];
    }
    return any;
}

void scene_paint(const SceneClip *clip, double time, double walkers, const SceneClip *odd,
                 double at, uint8_t *bgr, uint8_t *mask) {
    if (mask)
        memset(mask, 0, (size_t)clip->width * (size_t)clip->height);
    Cast cast = {.count = 0};
    add(&cast, (Actor){.kind = ACTOR_LAMP, .figure.y = LAMP_Y});
    add(&cast, (Actor){.kind = ACTOR_PLANTER, .figure.y = PLANTER_Y});
    add_walkers(&cast, clip, time, walkers);
    if (odd)
        add_anomaly(&cast, odd, at);
    sort_by_depth(&cast);
    Easel easel = {.bgr = bgr, .mask = mask, .width = clip->width, .height = clip->height};
    paint_street(&easel);
    for (int i = 0; i < cast.count; i++)
        paint_actor(&easel, &cast.actor[i]);
}

int scene_draw(const SceneClip *clip, int64_t index, Frame *f, uint8_t *mask) {
    int64_t pixels = (int64_t)clip->width * clip->height;
    int rc = frame_reserve(f, clip->width, clip->height);
    if (rc)
        return rc;
    uint8_t *own = NULL; /* the label needs a mask even if the caller does not */
    if (!mask && clip->kind != SCENE_NORMAL) {
        mask = own = mem_alloc((size_t)pixels, 1);
        if (!own)
            return ERR_FAIL;
    }
    scene_paint(clip, (double)index, 1, clip, (double)index, f->bgr, mask);
    bool abnormal = mask && scene_mask(mask, pixels);
    mem_free(own);
    expose(clip, index, f->bgr, 3 * pixels);
    f->index = index;
    f->seconds = (double)index / 25;
    f->corrupt = false;
    return abnormal;
}
