/* Our side of the bench's optical flow and motion; speaks the protocol of peer.py.
 *
 * bench_flow write FILE    pairs of pictures of the generated street: its figures stand in a pose
 * and move by SPEEDS pixels. For each pair: two grey pictures, then the mask of what moves in the
 * first, then the movement to the right as one float
 *
 * bench_flow run FILE      each iteration: the median seconds of a pair on one thread, from bytes
 * to flow at half size; those of a frame from bytes to the surprise of its motion; and the mean
 * end-point error of what moves, in pixels of the picture, by speed
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "compute/backend.h"
#include "score/motion.h"
#include "video/scene_paint.h"

enum { WIDTH = 360, HEIGHT = 240, PIXELS = WIDTH * HEIGHT, FIGURES = 4, SEED = 7, WARM_UP = 2 };
enum { HALF_WIDTH = WIDTH / 2, HALF_HEIGHT = HEIGHT / 2, HALF = PIXELS / 4 };

static const float speeds[] = {0.2F, 0.5F, 1, 2, 3, 5, 7, 10, 14, 20};
enum { SPEEDS = sizeof speeds / sizeof *speeds };

/* ---- pictures ---- */

static void draw(uint8_t *bgr, uint8_t *mask, float moved, int pair) {
    Easel easel = {bgr, mask, WIDTH, HEIGHT, false};
    memset(mask, 0, PIXELS);
    paint_street(&easel);
    easel.anomaly = true;
    for (int i = 0; i < FIGURES; i++) {
        Figure f = {.x = 22 + 34 * (float)i + moved * SCENE_WIDTH / WIDTH,
                    .y = 52 + 18 * (float)i,
                    .scale = 0.8F + 0.15F * (float)i,
                    .direction = 1,
                    .phase = (float)(i + pair),
                    .swing = 0.45F,
                    .clothes = i + FIGURES * pair};
        paint_person(&easel, &f);
    }
}

/* Grey, with noise of a deviation of 1.4 levels, as the scene has it. */
static void expose(uint8_t *grey, const uint8_t *bgr, int picture) {
    Rng r = rng_stream(SEED, RNG_SCENE, (uint32_t)picture, 0);
    for (int i = 0; i < PIXELS; i++) {
        double level = 0.114 * bgr[3 * i] + 0.587 * bgr[3 * i + 1] + 0.299 * bgr[3 * i + 2];
        level += rng_truncated_normal(&r, (uint64_t)i, 1.4);
        grey[i] = (uint8_t)fmin(fmax(level + 0.5, 0), 255);
    }
}

static int write_pairs(const char *path) {
    FileOut *file;
    uint8_t *bgr = mem_alloc(3 * PIXELS, 1), *grey = mem_alloc(PIXELS, 1);
    uint8_t *mask = mem_alloc(PIXELS, 1), *later = mem_alloc(PIXELS, 1);
    int code = bgr && grey && mask && later ? file_create(&file, path) : ERR_FAIL;
    for (int i = 0; i < SPEEDS && !code; i++) {
        draw(bgr, mask, 0, i);
        expose(grey, bgr, 2 * i);
        file_write(file, grey, PIXELS);
        draw(bgr, later, speeds[i], i);
        expose(grey, bgr, 2 * i + 1);
        file_write(file, grey, PIXELS);
        file_write(file, mask, PIXELS);
        file_write(file, &speeds[i], sizeof speeds[i]);
    }
    code = code ? code : file_commit(&file);
    mem_free(bgr);
    mem_free(grey);
    mem_free(mask);
    mem_free(later);
    return code;
}

/* ---- flow ---- */

typedef struct {
    uint8_t grey[2][PIXELS], mask[PIXELS];
    float speed;
} Pair;

typedef struct {
    double all, moving;
} Errors;

typedef struct {
    Backend *be;
    Pair *pair;
    float *a, *b, *u, *v;
    Errors error[SPEEDS];
    MotionModel *model;
    Motion *motion;
    Frame frame;
} Bench;

static void halve(float *out, const uint8_t *in) {
    for (int y = 0; y < HALF_HEIGHT; y++)
        for (int x = 0; x < HALF_WIDTH; x++) {
            const uint8_t *p = in + 2 * y * WIDTH + 2 * x;
            out[y * HALF_WIDTH + x] = (float)(p[0] + p[1] + p[WIDTH] + p[WIDTH + 1]) / 4;
        }
}

static Errors errors_of(const Bench *b, const Pair *p) {
    double sum[2] = {0};
    int64_t count = 0;
    for (int y = 0; y < HALF_HEIGHT; y++)
        for (int x = 0; x < HALF_WIDTH; x++) {
            const uint8_t *m = p->mask + 2 * y * WIDTH + 2 * x;
            bool moves = m[0] & m[1] & m[WIDTH] & m[WIDTH + 1] & 128;
            int i = y * HALF_WIDTH + x;
            double error = hypot(2 * b->u[i] - (moves ? p->speed : 0), 2 * b->v[i]);
            sum[moves] += error;
            count += moves;
        }
    return (Errors){(sum[0] + sum[1]) / HALF, sum[1] / (double)count};
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double seconds[SPEEDS]) {
    qsort(seconds, SPEEDS, sizeof *seconds, ascending);
    return seconds[SPEEDS / 2];
}

static double run_pairs(Bench *b) {
    double seconds[SPEEDS];
    for (int i = 0; i < SPEEDS; i++) {
        const Pair *p = &b->pair[i];
        double start = clock_seconds();
        halve(b->a, p->grey[0]);
        halve(b->b, p->grey[1]);
        b->be->flow(b->be, &(Flow){b->u, b->v, b->a, b->b, HALF_WIDTH, HALF_HEIGHT});
        seconds[i] = clock_seconds() - start;
        b->error[i] = errors_of(b, p);
    }
    return median(seconds);
}

/* A model that finds nothing rare does the work of any other. */
static int open_motion(Bench *b) {
    int code = motion_model_open(&b->model, movement_size(WIDTH, HEIGHT));
    for (int r = 0; !code && r < b->model->rows; r++)
        b->model->size[r] = b->model->scale[r] = 1;
    if (!code)
        code = motion_open(&b->motion, b->model, b->be);
    return code ? code : frame_reserve(&b->frame, WIDTH, HEIGHT);
}

static void show(Bench *b, const uint8_t *grey, double seconds) {
    for (int i = 0; i < PIXELS; i++)
        memset(b->frame.bgr + 3 * i, grey[i], 3);
    b->frame.seconds = seconds;
}

static double run_motion(Bench *b) {
    double seconds[SPEEDS], surprise;
    for (int i = 0; i < SPEEDS; i++) {
        motion_reset(b->motion);
        show(b, b->pair[i].grey[0], 0);
        motion_add(b->motion, &b->frame);
        show(b, b->pair[i].grey[1], 0.1);
        double start = clock_seconds();
        motion_add(b->motion, &b->frame);
        if (motion_score(b->motion, &surprise))
            return NAN;
        seconds[i] = clock_seconds() - start;
    }
    return median(seconds);
}

static int serve(Bench *b) {
    char line[64];
    int code = open_motion(b);
    if (code)
        return code;
    for (int i = 0; i < WARM_UP; i++) {
        run_pairs(b);
        run_motion(b);
    }
    printf("ready {\"version\": \"" NORMALCY_VERSION " %s\"}\n", b->be->description);
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) && strcmp(line, "quit\n") != 0) {
        printf("{\"seconds\": %.9f, \"motion\": %.9f, \"errors\": {", run_pairs(b), run_motion(b));
        for (int i = 0; i < SPEEDS; i++)
            printf("%s\"%g\": [%.4f, %.4f]", i ? ", " : "", speeds[i], b->error[i].all,
                   b->error[i].moving);
        printf("}}\n");
        fflush(stdout);
    }
    puts("{\"peak_rss\": 0}"); /* part of the protocol; nobody asks */
    return b->be->sync(b->be);
}

static int run(Bench *b, const char *path) {
    b->pair = mem_alloc(SPEEDS, sizeof *b->pair);
    b->a = mem_alloc(4 * HALF, sizeof *b->a);
    FILE *f = fopen(path, "rb");
    int code = b->pair && b->a ? 0 : ERR_FAIL;
    for (int i = 0; i < SPEEDS && !code; i++) {
        Pair *p = &b->pair[i];
        if (!f || fread(p->grey, PIXELS, 3, f) != 3 || fread(&p->speed, sizeof(float), 1, f) != 1)
            code = err_set(ERR_FAIL, "%s: not what 'write' has written", path);
    }
    if (f)
        fclose(f);
    if (code)
        return code;
    b->b = b->a + HALF;
    b->u = b->b + HALF;
    b->v = b->u + HALF;
    return serve(b);
}

int main(int argc, char **argv) {
    Bench b = {0};
    int code = ERR_USAGE;
    if (argc == 3 && strcmp(argv[1], "write") == 0)
        code = write_pairs(argv[2]);
    else if (argc == 3 && strcmp(argv[1], "run") == 0)
        code = backend_open(&b.be, "cpu", 1, "f32");
    else
        fprintf(stderr, "usage: bench_flow write|run FILE\n");
    if (!code && b.be)
        code = run(&b, argv[2]);
    if (code && code != ERR_USAGE)
        fprintf(stderr, "bench_flow: %s\n", err_text());
    motion_free(&b.motion);
    motion_model_free(&b.model);
    frame_free(&b.frame);
    backend_free(&b.be);
    mem_free(b.pair);
    mem_free(b.a);
    return code ? 1 : 0;
}
