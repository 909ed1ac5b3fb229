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
    o->lines = fopen(o->c.path, "a+e");
    return o->lines ? 0 : err_sys(ERR_FAIL, "cannot write %s", o->c.path);
}

/* Writes the head, unless the file has one. Then it must be the same. */
static int begin_csv(ScoreOutput *o) {
    const ScoreOutputConfig *c = &o->c;
    char head[128], there[128] = "";
    snprintf(head, sizeof head, "%sframe,seconds,%spsnr%s", c->many ? "file," : "",
             c->live ? "time," : "", c->surprise ? ",surprise,by" : "");
    if (!o->lines || o->lines == stdout || fseeko(o->lines, 0, SEEK_END) || !ftello(o->lines)) {
        write_text(o, head);
        write_text(o, "\n");
        return 0;
    }
    rewind(o->lines);
    if (fgets(there, sizeof there, o->lines))
        there[strcspn(there, "\r\n")] = 0;
    fseeko(o->lines, 0, SEEK_END);
    return strcmp(there, head) == 0
               ? 0
               : err_set(ERR_USAGE,
                         "%s begins with \"%.60s\", but these lines have \"%s\": give another -o",
                         c->path, there, head);
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
    if (c->format == FORMAT_CSV)
        code = begin_csv(o);
    if (code) {
        score_output_free(&o);
        return code;
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

/* The numbers of a line as text, empty where there is none. */
typedef struct {
    char seconds[32], time[48], psnr[32], surprise[32];
    const char *by;
} Fields;

static void csv_line(char *line, const ScoreOutput *o, const char *clip, const Frame *f,
                     const Fields *t) {
    char name[LINE / 2] = "";
    if (o->c.many)
        csv_field(name, sizeof name, clip);
    snprintf(line, LINE, "%s%s%lld,%s,%s%s%s%s%s%s%s\n", name, o->c.many ? "," : "",
             (long long)f->index, t->seconds, t->time, o->c.live ? "," : "", t->psnr,
             o->c.surprise ? "," : "", t->surprise, o->c.surprise ? "," : "", t->by);
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
                     const Fields *t) {
    char start[LINE / 2] = "{", surprise[64] = "";
    int code = o->c.many ? json_start(start, sizeof start, clip) : 0;
    if (o->c.surprise && !*t->surprise)
        snprintf(surprise, sizeof surprise, ",\"surprise\":null");
    else if (o->c.surprise)
        snprintf(surprise, sizeof surprise, ",\"surprise\":%s,\"by\":\"%s\"", t->surprise, t->by);
    snprintf(line, LINE, "%s\"frame\":%lld,\"seconds\":%s,%s%s%s\"psnr\":%s%s%s}\n", start,
             (long long)f->index, *t->seconds ? t->seconds : "null", *t->time ? "\"time\":\"" : "",
             t->time, *t->time ? "\"," : "", *t->psnr ? t->psnr : "null", surprise,
             f->corrupt ? ",\"corrupt\":true" : "");
    return code;
}

static int add_line(ScoreOutput *o, const char *clip, const Frame *f, FrameScore score) {
    char line[LINE];
    Fields t = {.by = ""};
    if (isfinite(f->seconds))
        snprintf(t.seconds, sizeof t.seconds, "%.3f", f->seconds);
    if (o->c.live && isfinite(f->wall))
        utc_text(t.time, sizeof t.time, f->wall);
    if (!isnan(score.psnr))
        snprintf(t.psnr, sizeof t.psnr, "%.9g", score.psnr);
    if (o->c.surprise && !isnan(score.surprise)) {
        snprintf(t.surprise, sizeof t.surprise, "%.6g", score.surprise);
        t.by = opinion_names[score.by];
    }
    int code = 0;
    if (o->c.format == FORMAT_CSV)
        csv_line(line, o, clip, f, &t);
    else
        code = json_line(line, o, clip, f, &t);
    if (code)
        return code;
    write_text(o, line);
    if (o->lines && fflush(o->lines))
        return err_sys(ERR_FAIL, "cannot write scores to %s", o->c.path ? o->c.path : "stdout");
    return 0;
}

int score_output_add(ScoreOutput *o, const char *clip, const Frame *f, FrameScore score) {
    score.psnr = psnr_shown(score.psnr);
    if (o->c.format == FORMAT_NPY)
        return remember(o, score.psnr);
    return isnan(score.psnr) && !f->corrupt ? 0 : add_line(o, clip, f, score);
}

int score_output_save(ScoreOutput *o) {
    if (o->c.format == FORMAT_NPY)
        return npy_write_f64(o->c.path, o->scores, 1, &o->count);
    return o->file ? file_commit(&o->file) : 0;
}
