/* Our side of the bench's conversion of frames; speaks the protocol of peer.py.
 *
 * bench_convert FILE SIDE    each iteration: the median seconds from a decoded frame to SIDE x SIDE
 *                            pixels of BGR, on one thread
 *
 * A frame keeps its decoder's planes, so frame_resize does all of it. It comes after a pause, in
 * which the decoder's threads finish what they have begun. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "video/source.h"

enum { FRAMES = 100, WARM_UP = 1, PAUSE = 20000000 }; /* PAUSE: nanoseconds */

typedef struct {
    Source *source;
    Frame frame;
    int side;
    uint8_t *out;
    double seconds[FRAMES];
} Bench;

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The file's next frame; after the last one the first. */
static int next_frame(Bench *b) {
    int code = source_read(b->source, &b->frame);
    if (code == ERR_END)
        code = source_seek(b->source, 0);
    else
        return code;
    return code ? code : source_read(b->source, &b->frame);
}

static int convert(Bench *b, double *median) {
    const struct timespec pause = {0, PAUSE};
    for (int i = 0; i < FRAMES; i++) {
        int code = next_frame(b);
        if (code)
            return code;
        nanosleep(&pause, NULL);
        double start = clock_seconds();
        frame_resize(b->out, b->side, b->side, &b->frame);
        b->seconds[i] = clock_seconds() - start;
    }
    qsort(b->seconds, FRAMES, sizeof *b->seconds, ascending);
    *median = b->seconds[FRAMES / 2];
    return 0;
}

static int serve(Bench *b) {
    char line[64];
    double median;
    int code = 0;
    for (int i = 0; i < WARM_UP && !code; i++)
        code = convert(b, &median);
    if (!code)
        puts("ready {\"version\": \"" NORMALCY_VERSION "\"}");
    fflush(stdout);
    while (!code && fgets(line, sizeof line, stdin) && strcmp(line, "quit\n") != 0) {
        code = convert(b, &median);
        printf("{\"seconds\": %.9f}\n", median);
        fflush(stdout);
    }
    puts("{\"peak_rss\": 0}"); /* part of the protocol; nobody asks */
    return code;
}

int main(int argc, char **argv) {
    Bench b = {.side = argc == 3 ? (int)strtol(argv[2], NULL, 10) : 0};
    if (b.side <= 0) {
        fprintf(stderr, "usage: bench_convert FILE SIDE\n");
        return 2;
    }
    b.out = mem_alloc((size_t)(b.side * b.side), 3);
    int code = b.out ? source_open(&b.source, argv[1]) : ERR_FAIL;
    if (!code)
        code = serve(&b);
    if (code)
        fprintf(stderr, "bench_convert: %s\n", err_text());
    source_free(&b.source);
    frame_free(&b.frame);
    mem_free(b.out);
    return code != 0;
}
