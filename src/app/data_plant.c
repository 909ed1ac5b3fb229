#include "app/data_plant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/footage.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/progress.h"
#include "base/stop.h"
#include "data/plant.h"
#include "video/png.h"
#include "video/source.h"

const Opt plant_options[] = {
    OPT_TEXT_ROW(PlantArgs, output, "output", NULL, "FOLDER", "plant: the data set to write"),
    OPT_INT_ROW(PlantArgs, hold_out, "hold-out", "4", 2, 1000, "N",
                "plant: hold out every N-th training clip"),
    OPT_INT_ROW(PlantArgs, copies, "copies", "4", 1, 100, "N",
                "plant: test clips made of each clip held out"),
    OPT_INT_ROW(PlantArgs, seed, "seed", "1", 0, 4294967295.0, "N",
                "plant: seed of what is planted and where"),
    OPT_END,
};

typedef struct {
    const PlantArgs *args;
    char *root; /* the folder until it is complete; then it gets its final name */
    const Split *clips;
    int *held; /* indices of the held-out clips */
    int held_count;
    uint8_t *picture;              /* a mask as BGR */
    int64_t done, total, abnormal; /* test frames */
} Planting;

static bool is_held(const Planting *p, int clip) {
    return clip % p->args->hold_out == p->args->hold_out - 1;
}

/* Checks that the clip's frames have the size of the others: parts are copied between them. */
static int check_size(const Planting *p, int clip) {
    Source *s = NULL, *first = NULL;
    int code = source_open(&s, p->clips->clips[clip].url);
    if (!code)
        code = source_open(&first, p->clips->clips[p->held[0]].url);
    if (!code && (source_info(s)->width != source_info(first)->width ||
                  source_info(s)->height != source_info(first)->height))
        code = err_set(
            ERR_FAIL, "%s has frames of %d x %d, %s of %d x %d; planting needs one fixed camera",
            p->clips->clips[clip].url, source_info(s)->width, source_info(s)->height,
            p->clips->clips[p->held[0]].url, source_info(first)->width, source_info(first)->height);
    source_free(&s);
    source_free(&first);
    return code;
}

/* Chooses the clips. Bad input fails here, before the folder is made. */
static int choose(Planting *p) {
    p->held = mem_alloc((size_t)p->clips->count + 1, sizeof *p->held);
    if (!p->held)
        return ERR_FAIL;
    for (int i = 0; i < p->clips->count; i++) {
        int64_t frames = 0;
        if (!is_held(p, i))
            continue;
        p->held[p->held_count++] = i;
        int code = clip_count(&p->clips->clips[i], &frames);
        if (!code && frames < PLANT_SHORTEST)
            code = err_set(ERR_FAIL, "%s has %lld frames; planting needs %d: leave the clip out",
                           p->clips->clips[i].url, (long long)frames, PLANT_SHORTEST);
        if (!code)
            code = check_size(p, i);
        if (code)
            return code;
        p->total += frames * p->args->copies;
    }
    return p->held_count ? 0
                         : err_set(ERR_FAIL,
                                   "there are %d training clips: --hold-out %lld leaves none to "
                                   "plant in. Cut the footage into more clips, or give a smaller "
                                   "one",
                                   p->clips->count, (long long)p->args->hold_out);
}

static int link_clip(const Planting *p, const Clip *c) {
    char to[4096], *from = realpath(c->url, NULL);
    if (!from)
        return err_sys(ERR_FAIL, "cannot find %s", c->url);
    int code = 0,
        length = snprintf(to, sizeof to, "%s/training/frames/%s", p->root, file_name(c->url));
    if (length >= (int)sizeof to)
        code = err_set(ERR_FAIL, "-o: its clips would have names of over %zu bytes", sizeof to - 1);
    else if (symlink(from, to))
        code = err_sys(ERR_FAIL, "cannot make the link %s", to);
    free(from);
    return code;
}

static int write_picture(const Planting *p, const char *folder, const char *name, int64_t index,
                         const uint8_t *bgr, const Frame *f) {
    char path[4096];
    snprintf(path, sizeof path, "%s/testing/%s/%s", p->root, folder, name);
    int code = index == 0 ? file_make_folder(path) : 0;
    int length = snprintf(path, sizeof path, "%s/testing/%s/%s/%05lld.png", p->root, folder, name,
                          (long long)index);
    if (!code && length >= (int)sizeof path)
        code = err_set(ERR_FAIL, "-o: its pictures would have names of over %zu bytes",
                       sizeof path - 1);
    return code ? code : png_write(path, bgr, f->width, f->height);
}

static int write_frame(Planting *p, const char *name, int64_t index, const Frame *f,
                       const uint8_t *mask) {
    size_t pixels = (size_t)f->width * (size_t)f->height;
    uint8_t any = 0;
    if (!p->picture && !(p->picture = mem_alloc(pixels, 3)))
        return ERR_FAIL;
    for (size_t i = 0; i < pixels; i++) {
        memset(p->picture + 3 * i, mask[i], 3);
        any |= mask[i] & 1;
    }
    int code = write_picture(p, "frames", name, index, f->bgr, f);
    if (!code)
        code = write_picture(p, "masks", name, index, p->picture, f);
    p->abnormal += any;
    progress_draw("plant", ++p->done, p->total, "frames");
    return code;
}

static int write_copy(Planting *p, int clip, int copy) {
    Planter *planter = NULL;
    char name[512];
    snprintf(name, sizeof name, "%s-%d", p->clips->clips[clip].name, copy + 1);
    int code = planter_open(&planter, p->clips, clip, p->held, p->held_count,
                            (uint64_t)p->args->seed, copy);
    for (int64_t i = 0; !code; i++) {
        const Frame *f;
        const uint8_t *mask;
        code = stop_requested() ? ERR_STOPPED : planter_next(planter, &f, &mask);
        if (!code)
            code = write_frame(p, name, i, f, mask);
    }
    planter_free(&planter);
    return code == ERR_END ? 0 : code;
}

static int write_all(Planting *p) {
    char path[4096];
    int code = file_make_new_folder(p->root); /* of two processes, one gets it */
    if (code)
        return code;
    snprintf(path, sizeof path, "%s/training/frames", p->root);
    code = file_make_folder(path);
    for (int i = 0; i < p->clips->count && !code; i++)
        if (!is_held(p, i))
            code = link_clip(p, &p->clips->clips[i]);
    for (int i = 0; i < p->held_count && !code; i++)
        for (int copy = 0; copy < p->args->copies && !code; copy++)
            code = write_copy(p, p->held[i], copy);
    progress_end();
    if (!code && p->abnormal == 0)
        code = err_set(ERR_FAIL,
                       "too little moves in the clips that are held out: nothing abnormal could be "
                       "planted. Another --hold-out or --seed takes other clips or places");
    if (!code && rename(p->root, p->args->output))
        code = err_sys(ERR_FAIL, "cannot rename %s to %s", p->root, p->args->output);
    if (code && !file_remove_folder(p->root))
        log_info("%s is left, and not whole", p->root);
    return code;
}

/* Refuses a folder that is there: a complete data set, or the rest of a killed run. */
static int check_free(const char *folder) {
    return file_exists(folder)
               ? err_set(ERR_FAIL, "%s is there already; give another -o, or move it away", folder)
               : 0;
}

int data_plant(const char *path, PlantArgs *args) {
    if (!args->output)
        return err_set(ERR_USAGE, "no data set to write: give -o FOLDER");
    size_t n = strlen(args->output); /* "planted/" is "planted" */
    while (n > 1 && args->output[n - 1] == '/')
        args->output[--n] = 0;
    Planting p = {.args = args, .root = mem_printf("%s.part", args->output)};
    if (!p.root)
        return ERR_FAIL;
    Dataset *d = NULL;
    int code = check_free(args->output);
    if (!code)
        code = check_free(p.root);
    if (!code)
        code = footage_open(&d, path);
    if (!code) {
        p.clips = &d->train;
        code = choose(&p);
    }
    if (!code)
        code = write_all(&p);
    if (!code)
        log_info("%s: %d clips to train on, %d x %lld to test on: %lld frames, %lld abnormal",
                 args->output, d->train.count - p.held_count, p.held_count, (long long)args->copies,
                 (long long)p.done, (long long)p.abnormal);
    mem_free(p.root);
    mem_free(p.held);
    mem_free(p.picture);
    dataset_free(&d);
    return code;
}
