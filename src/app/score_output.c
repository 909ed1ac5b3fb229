#include "app/score_output.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/npy.h"
#include "score/psnr.h"

enum { LINE = 8192 };

const char *const score_format_names[] = {"jsonl", "csv", "npy", NULL};

struct ScoreOutput {
    ScoreOutputConfig c;
    FILE *lines;    /* stdout or a live source's file; or */
    FileOut *file;  /* a file that appears when it is complete; or */
    double *scores; /* an array; NaN: no score */
    int64_t count, room;
};

static void write_text(ScoreOutput *o, const char *text) {
    if (o->file)
        file_write(o->file, text, strlen(text));
    else
        fputs(text, o->lines);
}

/* A stream may never end, and a script starts it again: its file grows. */
static int open_file(ScoreOutput *o) {
    if (!o->c.live)
        return file_create(&o->file, o->c.path);
    o->lines = fopen(o->c.path, "ae");
    return o->lines ? 0 : err_sys(ERR_FAIL, "cannot write %s", o->c.path);
}

int score_output_open(ScoreOutput **out, const ScoreOutputConfig *c) {
    ScoreOutput *o = mem_alloc(1, sizeof *o);
    if (!o)
        return ERR_FAIL;
    o->c = *c;
    int code = 0;
    if (c->format == FORMAT_NPY)
        code = file_probe(c->path); /* before any work */
    else if (c->path)
        code = open_file(o);
    else
        o->lines = stdout;
    if (code) {
        score_output_free(&o);
        return code;
    }
    bool begun = o->lines && o->lines != stdout && ftello(o->lines) > 0;
    if (c->format == FORMAT_CSV && !begun) {
        write_text(o, c->many ? "file," : "");
        write_text(o, c->live ? "frame,seconds,time,psnr\n" : "frame,seconds,psnr\n");
    }
    *out = o;
    return 0;
}

void score_output_free(ScoreOutput **out) {
    ScoreOutput *o = *out;
    if (!o)
        return;
    file_discard(&o->file);
    if (o->lines && o->lines != stdout)
        fclose(o->lines);
    mem_free(o->scores);
    mem_free(o);
    *out = NULL;
}

static int remember(ScoreOutput *o, double psnr) {
    double *more = mem_room(o->scores, o->count, &o->room, sizeof *more);
    if (!more)
        return ERR_FAIL;
    o->scores = more;
    o->scores[o->count++] = psnr;
    return 0;
}

/* "2026-11-30T07:50:22.041Z" */
static void utc_text(char *buf, size_t n, double seconds) {
    int64_t ms = llrint(seconds * 1000);
    time_t whole = (time_t)(ms / 1000);
    struct tm t;
    gmtime_r(&whole, &t);
    size_t used = strftime(buf, n, "%Y-%m-%dT%H:%M:%S", &t);
    snprintf(buf + used, n - used, ".%03dZ", (int)(ms % 1000));
}

/* A field of CSV: in quotes where it holds what separates fields. */
static void csv_field(char *buf, size_t n, const char *text) {
    size_t k = 0;
    bool quotes = strpbrk(text, ",\"\n\r");
    if (quotes)
        buf[k++] = '"';
    for (; *text && k + 4 < n; text++) {
        if (*text == '"')
            buf[k++] = '"';
        buf[k++] = *text;
    }
    if (quotes)
        buf[k++] = '"';
    buf[k] = 0;
}

static void csv_line(char *line, const ScoreOutput *o, const char *clip, const Frame *f,
                     const char *seconds, const char *time, const char *value) {
    char name[LINE / 2] = "";
    if (o->c.many)
        csv_field(name, sizeof name, clip);
    snprintf(line, LINE, "%s%s%lld,%s,%s%s%s\n", name, o->c.many ? "," : "", (long long)f->index,
             seconds, time, o->c.live ? "," : "", value);
}

/* "{" or "{"file":"NAME",": what begins a line. */
static int json_start(char *buf, size_t n, const char *clip) {
    Json *j = js_object();
    js_set_text(j, "file", clip);
    char *text = js_text(j, false);
    js_free(j);
    if (!text)
        return ERR_FAIL;
    snprintf(buf, n, "%.*s,", (int)strlen(text) - 1, text);
    mem_free(text);
    return 0;
}

static int json_line(char *line, const ScoreOutput *o, const char *clip, const Frame *f,
                     const char *seconds, const char *time, const char *value) {
    char start[LINE / 2] = "{";
    int code = o->c.many ? json_start(start, sizeof start, clip) : 0;
    snprintf(line, LINE, "%s\"frame\":%lld,\"seconds\":%s,%s%s%s\"psnr\":%s%s}\n", start,
             (long long)f->index, *seconds ? seconds : "null", *time ? "\"time\":\"" : "", time,
             *time ? "\"," : "", *value ? value : "null", f->corrupt ? ",\"corrupt\":true" : "");
    return code;
}

static int add_line(ScoreOutput *o, const char *clip, const Frame *f, double psnr) {
    char line[LINE], seconds[32] = "", time[48] = "", value[32] = "";
    if (isfinite(f->seconds))
        snprintf(seconds, sizeof seconds, "%.3f", f->seconds);
    if (o->c.live && isfinite(f->wall))
        utc_text(time, sizeof time, f->wall);
    if (!isnan(psnr))
        snprintf(value, sizeof value, "%.9g", psnr);
    int code = 0;
    if (o->c.format == FORMAT_CSV)
        csv_line(line, o, clip, f, seconds, time, value);
    else
        code = json_line(line, o, clip, f, seconds, time, value);
    if (code)
        return code;
    write_text(o, line);
    if (o->lines && fflush(o->lines))
        return err_sys(ERR_FAIL, "cannot write scores to %s", o->c.path ? o->c.path : "stdout");
    return 0;
}

int score_output_add(ScoreOutput *o, const char *clip, const Frame *f, double psnr) {
    double shown = psnr_shown(psnr);
    if (o->c.format == FORMAT_NPY)
        return remember(o, shown);
    return isnan(psnr) && !f->corrupt ? 0 : add_line(o, clip, f, shown);
}

int score_output_save(ScoreOutput *o) {
    if (o->c.format == FORMAT_NPY)
        return npy_write_f64(o->c.path, o->scores, 1, &o->count);
    return o->file ? file_commit(&o->file) : 0;
}
