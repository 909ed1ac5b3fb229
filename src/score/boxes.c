#include "score/boxes.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

int box_finder_open(BoxFinder *f, int side) {
    size_t cells = (size_t)side * (size_t)side;
    *f = (BoxFinder){.side = side,
                     .peak = mem_alloc(cells, sizeof *f->peak),
                     .queue = mem_alloc(cells, sizeof *f->queue),
                     .owner = mem_alloc(cells, sizeof *f->owner)};
    return f->peak && f->queue && f->owner ? 0 : ERR_FAIL;
}

void box_finder_free(BoxFinder *f) {
    mem_free(f->peak);
    mem_free(f->queue);
    mem_free(f->owner);
    *f = (BoxFinder){0};
}

static bool higher(const float *map, int32_t a, int32_t b) {
    return map[a] > map[b] || (map[a] == map[b] && a < b);
}

static int by_height(const void *a, const void *b, void *map) {
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return higher(map, y, x) - higher(map, x, y);
}

/* The cell `at` and its neighbours. */
static Box around(int32_t at, int side) {
    int x = at % side, y = at / side;
    return (Box){x > 0 ? x - 1 : 0, y > 0 ? y - 1 : 0, x + 1 < side ? x + 1 : x,
                 y + 1 < side ? y + 1 : y};
}

static bool is_peak(const float *map, int side, int32_t at) {
    Box b = around(at, side);
    for (int y = b.y0; y <= b.y1; y++)
        for (int x = b.x0; x <= b.x1; x++)
            if (higher(map, y * side + x, at))
                return false;
    return map[at] > 0;
}

/* Takes the cells connected to `peak` at half its height and gives their bounds. False where one of
 * the cells is higher than the peak or already belongs to another peak. That other peak is higher,
 * and at this lower level its cells are connected to it too. */
static bool take_part(const BoxFinder *f, const float *map, int32_t peak, Box *bounds) {
    int32_t me = peak + 1;
    int waiting = 0;
    *bounds = (Box){INT32_MAX, INT32_MAX, -1, -1};
    if (f->owner[peak])
        return false;
    f->owner[peak] = me;
    f->queue[waiting++] = peak;
    while (waiting) {
        int32_t at = f->queue[--waiting], x0 = at % f->side, y0 = at / f->side;
        bounds->x0 = x0 < bounds->x0 ? x0 : bounds->x0;
        bounds->x1 = x0 > bounds->x1 ? x0 : bounds->x1;
        bounds->y0 = y0 < bounds->y0 ? y0 : bounds->y0;
        bounds->y1 = y0 > bounds->y1 ? y0 : bounds->y1;
        Box b = around(at, f->side);
        for (int y = b.y0; y <= b.y1; y++)
            for (int x = b.x0; x <= b.x1; x++) {
                int32_t next = y * f->side + x;
                if (map[next] < map[peak] / 2 || f->owner[next] == me)
                    continue;
                if (f->owner[next] || higher(map, next, peak))
                    return false;
                f->owner[next] = me;
                f->queue[waiting++] = next;
            }
    }
    return true;
}

int boxes_find(const BoxFinder *f, const float *map, Detection out[BOXES_MAX]) {
    int32_t cells = f->side * f->side, peaks = 0;
    for (int32_t i = 0; i < cells; i++)
        if (is_peak(map, f->side, i))
            f->peak[peaks++] = i;
    qsort_r(f->peak, (size_t)peaks, sizeof *f->peak, by_height, (void *)map);
    memset(f->owner, 0, (size_t)cells * sizeof *f->owner);
    int found = 0;
    for (int32_t i = 0; i < peaks && found < BOXES_MAX; i++) {
        Box b;
        if (take_part(f, map, f->peak[i], &b))
            out[found++] = (Detection){.box = b, .score = map[f->peak[i]]};
    }
    return found;
}

int cell_start(int64_t at, int64_t cell, int64_t size, int extent) {
    /* x + 1/2 >= at * cell * extent / size */
    int64_t numerator = 2 * at * cell * extent - size;
    return numerator <= 0 ? 0 : (int)((numerator + 2 * size - 1) / (2 * size));
}

Box box_in_frame(Box c, int64_t cell, int64_t size, int width, int height) {
    Box b = {cell_start(c.x0, cell, size, width), cell_start(c.y0, cell, size, height),
             cell_start(c.x1 + 1, cell, size, width) - 1,
             cell_start(c.y1 + 1, cell, size, height) - 1};
    b.x1 = b.x1 < b.x0 ? b.x0 : b.x1; /* the cells may hold no pixel's centre */
    b.y1 = b.y1 < b.y0 ? b.y0 : b.y1;
    return b;
}
