/* normalcy data. check: what a data set holds, and what in it does not fit; the findings are
 * gathered as JSON, the table for people is printed from it. plant: data_plant.c. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "app/cmd.h"
#include "app/common.h"
#include "app/data_plant.h"
#include "app/footage.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/stop.h"
#include "data/labels.h"
#include "data/masks.h"
#include "train/settings.h"
#include "video/numbering.h"
#include "video/source.h"

static const char usage[] =
    "usage: normalcy data check DATA [OPTIONS]\n"
    "       normalcy data plant DATA -o FOLDER [OPTIONS]\n\n"
    "check: examines a folder of footage, a video or a stream: its layout, clips, frame sizes,\n"
    "numbering, ground truth and masks. Prints a line for each problem, which says what to do.\n"
    "The exit code is 1 if there is a problem. Clips must be as long as 'train' needs them\n"
    "without options.\n"
    "plant: makes a labelled data set out of normal footage. Holds out some training clips and\n"
    "lays moving parts of the same footage over copies of them. A part that is made faster or\n"
    "larger is an anomaly; an unchanged part counts as normal. 'train' and 'eval' on FOLDER help\n"
    "to choose settings without looking at a test set. Its training clips are links to the other\n"
    "clips of DATA.\n";

typedef struct {
    char *labels;
    bool decode, json;
} DataArgs;

static const Opt data_options[] = {
    OPT_TEXT_ROW(DataArgs, labels, "labels", NULL, "FILE", "check: ground truth, file or folder"),
    OPT_FLAG_ROW(DataArgs, decode, "decode",
                 "check: read all frames instead of the first of each clip"),
    OPT_FLAG_ROW(DataArgs, json, "json", "check: print JSON on stdout"),
    OPT_END,
};

typedef struct {
    const DataArgs *args;
    const Dataset *data;
    Json *root, *labels, *problems, *notes; /* the last three are members of root */
    int64_t done, total;                    /* clips read, for progress */
    VitConfig network;                      /* what `train` begins with */
    TrainSettings training;
    int64_t pairs, unknown; /* of the split being read: pairs, clips of unknown length */
    bool live;
} Check;

__attribute__((format(printf, 2, 3))) static void say(Json *list, const char *fmt, ...) {
    char text[3 * ERR_TEXT]; /* a message, and a few names, of at most 255 bytes, before it */
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    js_append_text(list, text);
}

/* ---- clips ---- */

static void tell_jumps(Check *c, const char *clip, const Listing *l, Places jumps) {
    char more[40] = "";
    const ListingItem *at = l->item + jumps.first;
    if (jumps.count > 1)
        snprintf(more, sizeof more, " and %lld more", (long long)jumps.count - 1);
    say(c->problems,
        "%s: numbers jump from %lld to %lld%s; if frames are missing, copy them again (otherwise "
        "ignore this: position counts, not the number)",
        clip, (long long)numbering_of(at[-1].name), (long long)numbering_of(at->name), more);
}

static void check_numbers(Check *c, const char *split, const Clip *clip) {
    Listing l = {0};
    char name[600], stray[1024];
    if (!file_is_folder(clip->url) || listing_open(&l, clip->url, LIST_IMAGES))
        return;
    snprintf(name, sizeof name, "%s/%s", split, clip->name);
    Places jumps = numbering_jumps(&l), strays = numbering_strays(&l);
    if (jumps.count)
        tell_jumps(c, name, &l, jumps);
    if (strays.count)
        say(c->problems, "%s: " FOOTAGE_STRAY, name,
            numbering_stray_text(stray, sizeof stray, &l, strays));
    listing_free(&l);
}

/* Reads the first frame, or all; *frames becomes what was read where that was all. */
static int decode(const Check *c, Source *s, int64_t *frames) {
    Frame f = {0};
    int64_t n = 0;
    bool all = c->args->decode && !source_info(s)->live;
    int code = source_read(s, &f);
    while (!code) {
        n++;
        if (f.corrupt)
            code =
                err_set(ERR_FAIL, "frame %lld is damaged; copy the clip again", (long long)f.index);
        else if (stop_requested())
            code = err_set(ERR_STOPPED, "stopped");
        if (code || !all)
            break;
        code = source_read(s, &f);
    }
    if (code == ERR_END && n > 0) {
        *frames = n;
        code = 0;
    }
    frame_free(&f);
    return code == ERR_END ? err_set(ERR_FAIL, "there is no frame in it") : code;
}

/* Whether `train` finds pairs in a clip, and `eval` with the network that it makes. */
static void check_length(Check *c, const char *split, const Clip *clip, int64_t frames) {
    int64_t need = c->network.frames + 1;
    if (frames < 0) {
        c->unknown++;
        return;
    }
    if (frames >= need)
        c->pairs += frames - need + 1;
    else
        say(c->problems,
            "%s/%s: %lld frame%s; a pair needs %lld (%d with --preset ped2): add frames, or keep "
            "the clip elsewhere",
            split, clip->name, (long long)frames, frames == 1 ? "" : "s", (long long)need, 2);
    if (clip->frames >= 0 && frames != clip->frames)
        say(c->problems,
            "%s/%s: it announces %lld frames and has %lld; rewrite it with: ffmpeg -i FILE -c copy "
            "NEW",
            split, clip->name, (long long)clip->frames, (long long)frames);
}

static int check_clip(Check *c, const char *split, const Clip *clip, Json *list) {
    Source *s = NULL;
    int64_t frames = clip->frames;
    int code = source_open(&s, clip->url);
    if (!code)
        code = decode(c, s, &frames);
    Json *j = js_object();
    js_set_text(j, "name", clip->name);
    js_set_int(j, "frames", frames);
    if (s) {
        js_set_int(j, "width", source_info(s)->width);
        js_set_int(j, "height", source_info(s)->height);
        js_set_number(j, "fps", source_info(s)->fps);
    }
    js_append(list, j);
    if (code == ERR_FAIL)
        say(c->problems, "%s/%s: %s", split, clip->name, err_text());
    else if (!code && source_info(s)->live)
        c->live = true;
    else if (!code)
        check_length(c, split, clip, frames);
    source_free(&s);
    check_numbers(c, split, clip);
    progress_draw("check", ++c->done, c->total, "%s/%s", split, clip->name);
    return code == ERR_STOPPED ? code : 0;
}

static int check_split(Check *c, const char *name, const Split *split) {
    Json *list = js_array();
    int code = 0;
    for (int i = 0; i < split->count && !code; i++)
        code = stop_requested() ? err_set(ERR_STOPPED, "stopped")
                                : check_clip(c, name, &split->clips[i], list);
    js_set(c->root, name, list);
    return code;
}

/* ---- the folder ---- */

static int default_network(Check *c) {
    const OptGroup groups[] = {{"Network", vit_options, &c->network},
                               {"Training", train_options, &c->training},
                               {NULL, NULL, NULL}};
    int code = opt_defaults(groups);
    if (!code)
        code = opt_set_list(groups, "preset ", preset_options("footage"));
    opt_free(groups); /* the numbers stay */
    return code;
}

/* What a split to train on lacks as a whole. */
static void check_pairs(Check *c) {
    int64_t batch = c->training.batch;
    if (c->data->train.count == 0)
        say(c->notes, "there are no training clips: good for score and eval only");
    else if (c->live)
        say(c->notes, "it is live: good for score only; train and eval need recordings");
    else if (c->unknown == 0 && c->pairs < batch)
        say(c->problems,
            "the clips to train on have %lld pairs, fewer than one batch of %lld: add footage, or "
            "train with --batch %lld",
            (long long)c->pairs, (long long)batch, (long long)(c->pairs > 0 ? c->pairs : 1));
}

static void check_remarks(Check *c) {
    char names[1024], more[40] = "";
    const Remarks *r = &c->data->remarks;
    if (r->broken_count > 1)
        snprintf(more, sizeof more, " and %lld more", (long long)r->broken_count - 1);
    if (r->broken)
        say(c->problems,
            "%s%s: passed over, because FFmpeg finds no video in it; if it was one, copy it again",
            r->broken, more);
    if (r->passed_over_count > r->broken_count)
        say(c->notes, "passed over, as neither videos nor folders of pictures: %s",
            remarks_passed_over(names, sizeof names, r));
}

/* ---- ground truth ---- */

static void add_labels(void *ctx, const char *path, const Labels *l, const char *error) {
    Check *c = ctx;
    Json *j = js_object();
    js_set_text(j, "path", path);
    if (l) {
        js_set_text(j, "variant", l->variant);
        js_set_text(j, "hash", l->hash);
        js_set_int(j, "frames", l->frames);
        js_set_int(j, "abnormal", l->abnormal);
        if (l->from >= 0)
            js_set_int(j, "first_frame", l->from);
    } else {
        js_set_text(j, "error", error);
        say(c->problems, "labels: %s", error);
    }
    js_append(c->labels, j);
}

static void check_labels(Check *c) {
    const char *path = c->args->labels;
    if (c->data->test.count == 0) {
        say(c->notes, "there are no test clips: good for train only");
        return;
    }
    if (path) {
        Labels *l = NULL;
        int code = labels_open(&l, c->data, path);
        add_labels(c, path, l, code ? err_text() : NULL);
        labels_free(&l);
    } else if (labels_each(c->data, add_labels, c) == 0) {
        say(c->notes, "no ground truth lies beside the data: it can be scored, but not evaluated");
    }
    const char *first = NULL;
    for (size_t i = 0; i < js_count(c->labels); i++) {
        const char *hash = js_text_of(js_get(js_at(c->labels, i), "hash"));
        if (first && hash && strcmp(first, hash) != 0) {
            say(c->notes, "the label files differ (see their hashes): name the one you use");
            break;
        }
        first = first ? first : hash;
    }
}

/* A mask must have its frame's size: it is compared with the error map pixel by pixel. */
static int check_mask_size(Check *c, int i, Masks *m, const Json *clip) {
    const uint8_t *mask;
    int w, h;
    int64_t width, height;
    int code = masks_read(m, 0, &mask, &w, &h);
    if (code || !js_int_of(js_get(clip, "width"), &width) ||
        !js_int_of(js_get(clip, "height"), &height))
        return code;
    if (w != width || h != height)
        say(c->problems, "test/%s: masks are %d x %d, frames %lld x %lld; they must agree",
            c->data->test.clips[i].name, w, h, (long long)width, (long long)height);
    return 0;
}

static void check_masks(Check *c) {
    int with = 0;
    for (int i = 0; i < c->data->test.count; i++) {
        Masks *m = NULL;
        int found, code = masks_open(&m, c->data, i, &found);
        if (!code && found) {
            const char *split = js_get(c->root, "test") ? "test" : "clips";
            code = check_mask_size(c, i, m, js_at(js_get(c->root, split), (size_t)i));
            with++;
        }
        if (code)
            say(c->problems, "test/%s: %s", c->data->test.clips[i].name, err_text());
        masks_free(&m);
    }
    js_set_int(c->root, "clips_with_masks", with);
}

/* ---- the table ---- */

static void print_clips(const Json *root, const char *split) {
    const Json *list = js_get(root, split);
    int64_t total = 0, unknown = 0;
    if (!list)
        return;
    printf("\n%s: %zu clips\n", split, js_count(list));
    for (size_t i = 0; i < js_count(list); i++) {
        const Json *j = js_at(list, i);
        int64_t frames = -1, w = 0, h = 0;
        js_int_of(js_get(j, "frames"), &frames);
        js_int_of(js_get(j, "width"), &w);
        js_int_of(js_get(j, "height"), &h);
        printf("  %-20s ", js_text_of(js_get(j, "name")));
        if (frames >= 0)
            printf("%8lld frames", (long long)frames);
        else
            printf("%15s", "length unknown");
        printf(w ? "  %lld x %lld\n" : "  unreadable\n", (long long)w, (long long)h);
        total += frames > 0 ? frames : 0;
        unknown += frames < 0;
    }
    printf("  %-20s ", "in all");
    if (total || !unknown)
        printf("%8lld frames%s", (long long)total, unknown ? " and " : "");
    if (unknown)
        printf("%lld clip%s of unknown length", (long long)unknown, unknown == 1 ? "" : "s");
    puts("");
}

static void print_lines(const Json *root, const char *key) {
    const Json *list = js_get(root, key);
    for (size_t i = 0; i < js_count(list); i++)
        printf("%s%s: %s\n", i ? "" : "\n", strcmp(key, "notes") == 0 ? "note" : "problem",
               js_text_of(js_at(list, i)));
}

/* What `normalcy` can do with the data, where no problem was found. */
static void print_end(const Json *root) {
    const Json *uses = js_get(root, "fits");
    int64_t decoded = 0;
    js_int_of(js_get(root, "decoded"), &decoded);
    printf(decoded ? "\neverything fits" : "\nno problem found");
    for (size_t i = 0; i < js_count(uses); i++)
        printf("%s%s", i ? ", " : " for ", js_text_of(js_at(uses, i)));
    puts(decoded ? "" : "; frames after the first of each clip were not read: --decode does");
}

static void print_table(const Json *root) {
    const Json *labels = js_get(root, "labels");
    int64_t masks = 0;
    printf("%s: layout %s\n", js_text_of(js_get(root, "path")), js_text_of(js_get(root, "layout")));
    print_clips(root, "train");
    print_clips(root, "test");
    print_clips(root, "clips");
    if (js_count(labels))
        printf("\nground truth:\n");
    for (size_t i = 0; i < js_count(labels); i++) {
        const Json *j = js_at(labels, i);
        int64_t frames = 0, abnormal = 0, from;
        if (!js_int_of(js_get(j, "frames"), &frames))
            continue; /* told among the problems */
        js_int_of(js_get(j, "abnormal"), &abnormal);
        printf("  %-24s %s  %7lld frames, %lld abnormal", js_text_of(js_get(j, "variant")),
               js_text_of(js_get(j, "hash")), (long long)frames, (long long)abnormal);
        if (js_int_of(js_get(j, "first_frame"), &from))
            printf(", frames from %lld", (long long)from);
        putchar('\n');
    }
    js_int_of(js_get(root, "clips_with_masks"), &masks);
    if (masks)
        printf("  masks of %lld clips\n", (long long)masks);
    print_lines(root, "notes");
    print_lines(root, "problems");
    if (js_count(js_get(root, "problems")) == 0)
        print_end(root);
}

/* ---- */

static void list_uses(Check *c) {
    Json *uses = js_array();
    bool labelled = false;
    for (size_t i = 0; i < js_count(c->labels); i++)
        labelled |= js_get(js_at(c->labels, i), "hash") != NULL;
    if (c->data->train.count && !c->live)
        js_append_text(uses, "train");
    if (c->data->test.count)
        js_append_text(uses, "score");
    if (labelled && !c->live)
        js_append_text(uses, "eval");
    js_set_int(c->root, "decoded", c->args->decode);
    js_set(c->root, "fits", uses);
}

static int gather_clips(Check *c) {
    const Dataset *d = c->data;
    bool split = d->layout != LAYOUT_CLIPS && d->layout != LAYOUT_SINGLE;
    c->total = d->test.count + (split ? d->train.count : 0);
    int code = split ? check_split(c, "train", &d->train) : check_split(c, "clips", &d->test);
    check_pairs(c);
    if (!code && split)
        code = check_split(c, "test", &d->test);
    progress_end();
    return code;
}

static int gather(Check *c) {
    if (js_check_text("the path of DATA", c->data->root)) /* as train does */
        say(c->problems, "%s", err_text());
    js_set_text(c->root, "path", c->data->root);
    js_set_text(c->root, "layout", layout_names[c->data->layout]);
    int code = default_network(c);
    if (!code)
        code = gather_clips(c);
    if (code)
        return code;
    check_remarks(c);
    check_labels(c);
    check_masks(c);
    if (c->unknown && !c->args->decode)
        say(c->notes, "%lld clip%s without a known length: --decode counts frames",
            (long long)c->unknown, c->unknown == 1 ? "" : "s");
    list_uses(c);
    return 0;
}

/* *problems: how many there are. */
static int check(const char *path, const DataArgs *args, size_t *problems) {
    Dataset *d = NULL;
    int code = dataset_open(&d, path);
    if (code)
        return code;
    Check c = {.args = args, .data = d, .root = js_object()};
    c.labels = js_array();
    c.notes = js_array();
    c.problems = js_array();
    js_set(c.root, "labels", c.labels);
    js_set(c.root, "notes", c.notes);
    js_set(c.root, "problems", c.problems);
    code = gather(&c);
    *problems = js_count(c.problems);
    if (!code && args->json)
        code = json_print(c.root);
    else if (!code)
        print_table(c.root);
    js_free(c.root);
    dataset_free(&d);
    return code;
}

static int run(const DataArgs *args, PlantArgs *plant, const char *const *words, int n,
               size_t *problems) {
    if (n == 2 && strcmp(words[0], "check") == 0)
        return plant->output ? err_set(ERR_USAGE, "check writes no data set: leave out -o")
                             : check(words[1], args, problems);
    if (n != 2 || strcmp(words[0], "plant") != 0)
        return err_set(ERR_USAGE, "expected: normalcy data check DATA, or plant DATA -o FOLDER");
    if (args->labels || args->decode || args->json)
        return err_set(ERR_USAGE, "--labels, --decode and --json are options of check");
    return data_plant(words[1], plant);
}

int cmd_data(int argc, char **argv) {
    DataArgs args = {0};
    PlantArgs plant = {0};
    const OptGroup groups[] = {{"Options", data_options, &args},
                               {"Planted anomalies", plant_options, &plant},
                               {NULL, NULL, NULL}};
    const char *words[2];
    if (help_asked(argc, argv, usage, groups))
        return EXIT_OK;
    int n = 0, code = opt_defaults(groups);
    size_t problems = 0;
    if (!code)
        code = opt_parse(groups, argc, argv, words, 2, &n);
    if (!code)
        code = run(&args, &plant, words, n, &problems);
    opt_free(groups);
    return !code && problems ? exit_printed(EXIT_FAILED) : exit_code(code, "data");
}
