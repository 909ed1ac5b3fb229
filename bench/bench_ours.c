/* Our side of the bench; speaks the protocol of peer.py.
 *
 * bench_ours train|infer SIZE PRECISION BATCH THREADS    a training step on BATCH pairs, or BATCH
 *                                                        frames to their predictions
 * bench_ours matmul SIZE PRECISION BATCH THREADS         each iteration goes through the linear
 *     layers of a block at the rows of that step, forward and backward, and also says the best rate
 *     of any of them in floating-point operations a second
 * bench_ours breakdown SIZE PRECISION BATCH THREADS      as train; also says each operation's share
 *
 * SIZE: base, small, tiny, or footage, the preset's network and its training. PRECISION: auto is
 * what the program takes without options.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "op_times.h"
#include "train/trainer.h"

enum { WARM_UP = 3, SEED = 2022 };

typedef struct {
    const char *task;
    int64_t batch;
    VitConfig config;
    TrainSettings settings;
    OptGroup groups[3];
    Backend *be;
    Trainer *trainer; /* train, breakdown */
    PairBatch pairs;
    uint8_t *bytes; /* of the frames */
    int64_t *index;
    Vit *vit; /* infer */
    float *host_in, *host_out, *in;
    float *values; /* matmul: operands and results */
    double best;
} Bench;

static void fill_bytes(uint8_t *to, int64_t n) {
    Rng r = rng_stream(SEED, RNG_MASK, 0, 0);
    for (int64_t i = 0; i < n; i++)
        to[i] = (uint8_t)(256 * rng_uniform(&r, (uint64_t)i));
}

static void fill_floats(float *to, int64_t n, double scale) {
    Rng r = rng_stream(SEED, RNG_MASK, 0, 0);
    for (int64_t i = 0; i < n; i++)
        to[i] = (float)(scale * (2 * rng_uniform(&r, (uint64_t)i) - 1));
}

/* ---- training: what normalcy train does with a batch that is there already */

static int open_train(Bench *b) {
    int64_t y = b->batch * VIT_COLOURS * b->config.image * b->config.image;
    int64_t x = b->config.frames * y;
    b->bytes = mem_alloc((size_t)(x + y), 1);
    b->index = mem_alloc((size_t)b->batch, sizeof *b->index);
    if (!b->bytes || !b->index)
        return ERR_FAIL;
    fill_bytes(b->bytes, x + y);
    for (int64_t i = 0; i < b->batch; i++)
        b->index[i] = i;
    b->pairs = (PairBatch){.x = b->bytes, .y = b->bytes + x, .index = b->index};
    return trainer_open(&b->trainer, b->be, &b->config, &b->settings, 1000);
}

static int run_train(Bench *b) {
    StepReport report;
    return trainer_step(b->trainer, &b->pairs, &report);
}

/* ---- inference: from host planes to host planes */

static size_t frame_bytes(const Bench *b) {
    return (size_t)(b->batch * VIT_COLOURS * b->config.image * b->config.image) * sizeof(float);
}

static size_t input_bytes(const Bench *b) {
    return (size_t)b->config.frames * frame_bytes(b);
}

static int set_ranges(Bench *b) {
    int64_t count = b->config.depth * VIT_SITES;
    VitRange *ranges = mem_alloc((size_t)count, sizeof *ranges);
    for (int64_t i = 0; ranges && i < count; i++)
        ranges[i][0] = -4, ranges[i][1] = 4;
    int code = ranges ? vit_set_ranges(b->vit, (const VitRange *)ranges) : ERR_FAIL;
    mem_free(ranges);
    return code;
}

static int open_infer(Bench *b) {
    int code = vit_open(&b->vit, b->be, &b->config, b->batch, false);
    if (!code)
        code = vit_init(b->vit, SEED);
    if (!code && b->be->type == U8)
        code = set_ranges(b);
    b->host_in = mem_alloc(input_bytes(b), 1);
    b->host_out = mem_alloc(frame_bytes(b), 1);
    b->in = b->be->alloc(b->be, input_bytes(b));
    if (code || !b->host_in || !b->host_out || !b->in)
        return ERR_FAIL;
    fill_floats(b->host_in, (int64_t)(input_bytes(b) / sizeof(float)), 1);
    return 0;
}

static int run_infer(Bench *b) {
    Backend *be = b->be;
    be->upload(be, b->in, b->host_in, input_bytes(b));
    vit_forward(b->vit, b->in, b->batch, b->batch, NULL, NULL);
    be->download(be, b->host_out, vit_prediction(b->vit), frame_bytes(b));
    return be->sync(be);
}

/* ---- the best rate of matrix products: operands in place, nothing fused */

static int64_t step_rows(const Bench *b) {
    return train_images(&b->settings) * (vit_patches(&b->config) + 1);
}

static int open_matmul(Bench *b) {
    int64_t width = b->config.width, wide = VIT_MLP_RATIO * width;
    int64_t count = 4 * step_rows(b) * wide + 2 * width * wide;
    b->values = b->be->alloc(b->be, (size_t)count * sizeof(float));
    return b->values ? 0 : ERR_FAIL;
}

static void best_of(Bench *b, double start, int64_t rows, int64_t out, int64_t in, int products) {
    double rate = 2.0 * products * (double)(rows * out * in) / (clock_seconds() - start);
    b->best = rate > b->best ? rate : b->best;
}

static int run_layer(Bench *b, int64_t out, int64_t in) {
    Backend *be = b->be;
    int64_t rows = step_rows(b), wide = VIT_MLP_RATIO * b->config.width;
    DType type = be->type == U8 ? BF16 : be->type;
    float *w = b->values, *dw = w + b->config.width * wide, *next = dw + b->config.width * wide;
    Tensor x = {next, rows, in, type, 0, 0}, y = {next + rows * wide, rows, out, type, 0, 0};
    Tensor dx = {next + 2 * rows * wide, rows, in, type, 0, 0};
    Weight weight = {.data = w, .out = out, .in = in};
    int code = be->weight_pack(be, &weight, type);
    if (code)
        return code;
    double start = clock_seconds();
    be->linear_forward(be, y, x, &weight, NULL);
    best_of(b, start, rows, out, in, 1);
    start = clock_seconds();
    be->linear_backward(be, dx, dw, NULL, y, x, &weight);
    best_of(b, start, rows, out, in, 2);
    be->weight_release(be, &weight);
    return be->sync(be);
}

static int run_matmul(Bench *b) {
    int64_t width = b->config.width, wide = VIT_MLP_RATIO * width;
    const int64_t layers[4][2] = {{3 * width, width}, {width, width}, {wide, width}, {width, wide}};
    int code = 0;
    b->best = 0;
    for (int i = 0; i < 4 && !code; i++)
        code = run_layer(b, layers[i][0], layers[i][1]);
    return code;
}

/* ---- protocol */

typedef struct {
    const char *name;
    int (*open)(Bench *);
    int (*run)(Bench *);
} Task;

static const Task tasks[] = {{"train", open_train, run_train},
                             {"infer", open_infer, run_infer},
                             {"matmul", open_matmul, run_matmul},
                             {"breakdown", open_train, run_train}};

static double memory(const char *field) {
    char line[256];
    long kib = 0;
    FILE *f = fopen("/proc/self/status", "re");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, field, strlen(field)) == 0)
            kib = strtol(line + strlen(field) + 1, NULL, 10);
    if (f)
        fclose(f);
    return 1024.0 * (double)kib;
}

static void reset_peak(void) {
    FILE *f = fopen("/proc/self/clear_refs", "we");
    if (f) {
        fputs("5", f);
        fclose(f);
    }
}

static int serve(Bench *b, const Task *task, double started) {
    char line[64];
    bool breakdown = strcmp(task->name, "breakdown") == 0;
    int code = 0;
    for (int i = 0; i < WARM_UP && !code; i++)
        code = task->run(b);
    if (code)
        return code;
    printf("ready {\"startup\": %.4f, \"rss\": %.0f, \"startup_peak\": %.0f, "
           "\"version\": \"" NORMALCY_VERSION " %s\"}\n",
           clock_seconds() - started, memory("VmRSS"), memory("VmHWM"), b->be->description);
    fflush(stdout);
    reset_peak();
    if (breakdown)
        op_times_install(b->be);
    while (!code && fgets(line, sizeof line, stdin) && strcmp(line, "quit\n") != 0) {
        double start = clock_seconds();
        code = task->run(b);
        printf("{\"seconds\": %.6f", clock_seconds() - start);
        if (b->best > 0)
            printf(", \"rate\": %.4g", b->best);
        if (breakdown)
            op_times_print();
        puts("}");
        fflush(stdout);
    }
    printf("{\"peak_rss\": %.0f}\n", memory("VmHWM"));
    return code;
}

/* As an option list; NULL if unknown. */
static const char *size_options(const char *size) {
    return strcmp(size, "footage") == 0 ? preset_options(size) : vit_size_options(size);
}

static int open_bench(Bench *b, const Task *task, char **argv) {
    const OptGroup groups[] = {{"Network", vit_options, &b->config},
                               {"Training", train_options, &b->settings},
                               {NULL, NULL, NULL}};
    memcpy(b->groups, groups, sizeof groups);
    const char *size = size_options(argv[2]);
    const char *precision = strcmp(argv[3], "auto") == 0 ? NULL : argv[3];
    if (!size)
        return err_set(ERR_USAGE, "expected base, small, tiny or footage; found \"%s\"", argv[2]);
    int code = opt_defaults(b->groups);
    if (!code)
        code = opt_set_list(b->groups, "size ", size);
    if (!code)
        code = opt_set(b->groups, "", "batch", argv[4]);
    b->batch = b->settings.batch;
    if (!code)
        code = backend_open(&b->be, "cpu", (int)strtol(argv[5], NULL, 10), precision);
    return code ? code : task->open(b);
}

static void close_bench(Bench *b) {
    trainer_free(&b->trainer);
    vit_free(&b->vit);
    if (b->be) {
        b->be->release(b->be, b->in);
        b->be->release(b->be, b->values);
    }
    backend_free(&b->be);
    mem_free(b->bytes);
    mem_free(b->index);
    mem_free(b->host_in);
    mem_free(b->host_out);
    opt_free(b->groups);
}

int main(int argc, char **argv) {
    double started = clock_seconds();
    const Task *task = NULL;
    for (size_t i = 0; argc == 6 && i < sizeof tasks / sizeof *tasks; i++)
        if (strcmp(argv[1], tasks[i].name) == 0)
            task = &tasks[i];
    if (!task) {
        fprintf(stderr,
                "usage: bench_ours train|infer|matmul|breakdown SIZE PRECISION BATCH THREADS\n");
        return 2;
    }
    Bench b = {.task = argv[1]};
    int code = open_bench(&b, task, argv);
    if (!code)
        code = serve(&b, task, started);
    if (code)
        fprintf(stderr, "bench_ours: %s\n", err_text());
    close_bench(&b);
    return code != 0;
}
