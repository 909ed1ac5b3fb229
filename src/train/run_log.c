#include "train/run_log.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/system.h"

struct RunLog {
    FILE *stream;
    char *path;
};

/* Does this line describe a step below `step`? */
static bool keep(const char *line, size_t bytes, int64_t step) {
    Json *j = js_parse(line, bytes);
    int64_t at;
    bool kept = j && js_int_of(js_get(j, "step"), &at) && at < step;
    js_free(j);
    return kept;
}

static int cut(const char *path, int64_t step) {
    char *text = NULL;
    size_t bytes = 0;
    FileOut *f = NULL;
    int code = file_read(path, (size_t)1 << 32, &text, &bytes);
    if (!code)
        code = file_create(&f, path);
    for (char *line = text; !code && line < text + bytes;) {
        char *end = memchr(line, '\n', (size_t)(text + bytes - line));
        if (!end)
            break;
        if (keep(line, (size_t)(end - line), step))
            file_write(f, line, (size_t)(end - line + 1));
        line = end + 1;
    }
    mem_free(text);
    return code ? code : file_commit(&f);
}

int run_log_open(RunLog **out, const char *path, int64_t step) {
    int code = file_exists(path) ? cut(path, step) : 0;
    if (code)
        return code;
    RunLog *l = mem_alloc(1, sizeof *l);
    if (!l)
        return ERR_FAIL;
    l->path = mem_printf("%s", path);
    l->stream = fopen(path, "ae");
    if (!l->path || !l->stream) {
        code = l->stream ? ERR_FAIL : err_sys(ERR_FAIL, "cannot write %s", path);
        run_log_free(&l);
        return code;
    }
    *out = l;
    return 0;
}

static int write_line(RunLog *l, Json *line) {
    char *text = js_text(line, false);
    js_free(line);
    if (!text)
        return ERR_FAIL;
    int failed = fprintf(l->stream, "%s\n", text) < 0 || fflush(l->stream) != 0;
    mem_free(text);
    return failed ? err_sys(ERR_FAIL, "cannot write %s", l->path) : 0;
}

int run_log_step(RunLog *l, const Trainer *t, const StepReport *r, double images_per_second,
                 double stall) {
    Json *j = js_object();
    int64_t step = t->step - 1; /* the step just done */
    js_set_int(j, "step", step);
    js_set_int(j, "epoch", step / t->steps_per_epoch);
    js_set_number(j, "loss", r->loss.total);
    if (t->settings.objective == OBJECTIVE_NEXT_FRAME) {
        js_set_number(j, "normal_int", r->loss.normal_int);
        js_set_number(j, "normal_gd", r->loss.normal_gd);
        js_set_number(j, "pseudo_int", r->loss.pseudo_int);
        js_set_number(j, "pseudo_gd", r->loss.pseudo_gd);
    }
    if (train_consistency(&t->settings))
        js_set_number(j, "consistency", r->loss.consistency);
    if (vit_config(t->vit)->memory)
        js_set_number(j, "memory", r->loss.memory);
    js_set_number(j, "grad_norm", r->norm);
    js_set_number(j, "lr", r->lr);
    js_set_number(j, "seconds", (double)train_images(&t->settings) / images_per_second);
    js_set_number(j, "images_per_second", images_per_second);
    js_set_number(j, "stall", stall);
    return write_line(l, j);
}

int run_log_epoch(RunLog *l, const Trainer *t, int64_t steps, double mean_loss, double seconds) {
    Json *j = js_object();
    js_set_text(j, "event", "epoch");
    js_set_int(j, "step", t->step - 1);
    js_set_int(j, "epochs_done", t->step / t->steps_per_epoch);
    js_set_int(j, "steps", steps);
    js_set_number(j, "mean_loss", mean_loss);
    js_set_number(j, "seconds", seconds);
    js_set_int(j, "peak_rss", system_peak_rss());
    return write_line(l, j);
}

void run_log_free(RunLog **pl) {
    RunLog *l = pl ? *pl : NULL;
    if (!l)
        return;
    if (l->stream)
        fclose(l->stream);
    mem_free(l->path);
    mem_free(l);
    *pl = NULL;
}
