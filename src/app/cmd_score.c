/* normalcy score: the score of every frame of a file, folder or stream, as it arrives. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "app/cmd.h"
#include "app/common.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/npy.h"
#include "base/stop.h"
#include "score/annotate.h"
#include "score/scorer.h"
#include "video/source.h"
#include "video/window.h"
#include "video/writer.h"

static const char usage[] =
    "usage: normalcy score MODEL INPUT [OPTIONS]\n\n"
    "Scores INPUT frame by frame: a video file, a folder of frames, a stream (rtsp://, http://)\n"
    "or a camera (/dev/video0). MODEL is a run folder, a checkpoint file or 'persistence'. Writes\n"
    "a line as soon as a frame is scored, until the input ends or Ctrl-C. The score is the PSNR\n"
    "of the predicted frame in dB. A lower PSNR is less normal; 100 stands for equal frames. The\n"
    "first frames have no score, because a prediction needs the frames before it.\n";

enum { PSNR_EQUAL = 100 }; /* dB printed if prediction and frame are equal */
enum { FORMAT_JSONL, FORMAT_CSV, FORMAT_NPY };
static const char *const format_names[] = {"jsonl", "csv", "npy", NULL};

typedef struct {
    int format;
    char *output, *video, *maps;
    double fail_on;
} ScoreArgs;

static const Opt score_options[] = {
    OPT_CHOICE_ROW(ScoreArgs, format, "format", "jsonl", format_names,
                   "lines, or a .npy array of PSNRs (needs -o; NaN: no score)"),
    OPT_TEXT_ROW(ScoreArgs, output, "output", NULL, "FILE",
                 "file for the scores, instead of stdout"),
    OPT_TEXT_ROW(ScoreArgs, video, "video", NULL, "FILE.mp4",
                 "write the input with error map and score curve"),
    OPT_TEXT_ROW(ScoreArgs, maps, "maps", NULL, "FOLDER",
                 "write a PNG difference map of every scored frame"),
    OPT_REAL_ROW(ScoreArgs, fail_on, "fail-on", "0", 0, 100,
                 "exit code 3 if a PSNR is below this many dB; 0: never"),
    OPT_END,
};

typedef struct {
    ScoreArgs args;
    ComputeArgs compute;
    OptGroup groups[3];
    const char *model, *input; /* borrowed from argv */
    Backend *be;
    Scorer *scorer;
    Source *source;
    Window window;
    Frame frame;
    FILE *out;       /* lines to stdout; or */
    FileOut *file;   /* to a file that appears when it is complete */
    double *history; /* npy and video only: PSNR of all frames; NaN: no score */
    int64_t count, capacity;
    int64_t read; /* frames read */
    VideoWriter *video;
    uint8_t *canvas, *difference;
    float *map;
    double worst;
} Score;

static void score_close(Score *s) {
    video_writer_free(&s->video);
    file_discard(&s->file);
    if (s->out && s->out != stdout)
        fclose(s->out);
    mem_free(s->history);
    mem_free(s->canvas);
    mem_free(s->difference);
    mem_free(s->map);
    frame_free(&s->frame);
    window_free(&s->window);
    source_free(&s->source);
    scorer_free(&s->scorer);
    backend_free(&s->be);
    opt_free(s->groups);
}

static int parse(Score *s, int argc, char **argv) {
    const char *positional[2];
    int n, code = opt_defaults(s->groups);
    if (!code)
        code = opt_parse(s->groups, argc, argv, positional, 2, &n);
    if (code)
        return code;
    if (n < 2)
        return err_set(ERR_USAGE, "expected a MODEL and an INPUT, found %d argument%s", n,
                       n == 1 ? "" : "s");
    if (s->args.format == FORMAT_NPY && !s->args.output)
        return err_set(ERR_USAGE, "--format npy: an array needs a file, give -o FILE");
    s->model = positional[0];
    s->input = positional[1];
    const char *outputs[] = {s->args.output, s->args.video, s->args.maps};
    for (int i = 0; i < 3; i++)
        if (outputs[i] && file_is_same(outputs[i], s->input))
            return err_set(ERR_USAGE, "%s is the input; it would be overwritten", outputs[i]);
    return 0;
}

static int open_scorer(Score *s) {
    if (strcmp(s->model, "persistence") == 0)
        return scorer_open_persistence(&s->scorer, 224, 1);
    int code = compute_open(&s->be, &s->compute);
    if (!code)
        code = scorer_open(&s->scorer, s->model, s->be);
    if (!code)
        compute_tell(s->be);
    return code;
}

static int open_output(Score *s) {
    s->out = stdout;
    if (!s->args.output)
        return 0;
    if (s->args.format == FORMAT_NPY)
        return file_probe(s->args.output); /* before any work */
    if (!source_info(s->source)->live)
        return file_create(&s->file, s->args.output);
    s->out = fopen(s->args.output, "we"); /* a stream may never end: write lines at once */
    return s->out ? 0 : err_sys(ERR_FAIL, "cannot write %s", s->args.output);
}

static int open_all(Score *s) {
    int code = open_scorer(s);
    if (!code)
        code = source_open(&s->source, s->input);
    if (!code)
        code = open_output(s);
    if (code)
        return code;
    const ScorerInfo *info = scorer_info(s->scorer);
    int64_t side = info->size / ANNOTATE_CELL;
    if (s->args.maps) {
        code = file_make_folder(s->args.maps);
        s->difference = mem_alloc((size_t)(info->size * info->size), 3);
        if (!code && !s->difference)
            code = ERR_FAIL;
    }
    s->map = mem_alloc((size_t)(side * side), sizeof *s->map);
    if (!code && !s->map)
        code = ERR_FAIL;
    return code ? code : window_open(&s->window, (int)info->size, (int)info->frames);
}

static void write_text(Score *s, const char *text) {
    if (s->file)
        file_write(s->file, text, strlen(text));
    else
        fputs(text, s->out);
}

static int write_line(Score *s, double psnr) {
    char line[160], seconds[32] = "", value[32] = "";
    if (isfinite(s->frame.seconds))
        snprintf(seconds, sizeof seconds, "%.3f", s->frame.seconds);
    if (!isnan(psnr)) /* equal frames: JSON has no infinity */
        snprintf(value, sizeof value, "%.9g", fmin(psnr, PSNR_EQUAL));
    if (s->args.format == FORMAT_CSV)
        snprintf(line, sizeof line, "%lld,%s,%s\n", (long long)s->frame.index, seconds, value);
    else
        snprintf(line, sizeof line, "{\"frame\":%lld,\"seconds\":%s,\"psnr\":%s%s}\n",
                 (long long)s->frame.index, *seconds ? seconds : "null", *value ? value : "null",
                 s->frame.corrupt ? ",\"corrupt\":true" : "");
    write_text(s, line);
    if (!s->file && fflush(s->out))
        return err_sys(ERR_FAIL, "cannot write scores to %s",
                       s->args.output ? s->args.output : "stdout");
    return 0;
}

static int remember(Score *s, double psnr) {
    double *h = mem_room(s->history, s->count, &s->capacity, sizeof *h);
    if (!h)
        return ERR_FAIL;
    s->history = h;
    s->history[s->count++] = psnr;
    return 0;
}

static int write_video(Score *s) {
    const Frame *f = &s->frame;
    int height = f->height + ANNOTATE_STRIP;
    if (!s->video) {
        double fps = source_info(s->source)->fps;
        s->canvas = mem_alloc((size_t)f->width * (size_t)height, 3);
        int code = s->canvas ? video_writer_open(&s->video, s->args.video, f->width, height,
                                                 fps > 0 ? fps : 25)
                             : ERR_FAIL;
        if (code)
            return code;
    }
    annotate_frame((Canvas){s->canvas, f->width, height}, f, s->scorer, s->map, s->history,
                   (int)s->count);
    return video_writer_add(s->video, s->canvas);
}

static int write_map(Score *s) {
    char path[4096];
    int size = (int)scorer_info(s->scorer)->size;
    int length =
        snprintf(path, sizeof path, "%s/%06lld.png", s->args.maps, (long long)s->frame.index);
    if (length >= (int)sizeof path)
        return err_set(ERR_FAIL, "--maps: its pictures would have names of over %zu bytes",
                       sizeof path - 1);
    scorer_pictures(s->scorer, NULL, s->difference);
    return png_write(path, s->difference, size, size);
}

/* Scores one frame. A frame that the decoder marks corrupt is reported, not scored, and no
 * prediction crosses it. */
static int score_frame(Score *s) {
    double psnr = NAN;
    int code = 0;
    if (s->frame.corrupt)
        window_reset(&s->window);
    else if (window_push(&s->window, &s->frame))
        code = scorer_run(s->scorer, window_x(&s->window), window_y(&s->window), &psnr);
    s->read++;
    if (!code && (s->args.format == FORMAT_NPY || s->args.video))
        code = remember(s, psnr);
    if (!code && s->args.format != FORMAT_NPY && (!isnan(psnr) || s->frame.corrupt))
        code = write_line(s, psnr);
    if (!code && s->args.video)
        code = write_video(s);
    if (!code && s->args.maps && !isnan(psnr))
        code = write_map(s);
    if (psnr < s->worst)
        s->worst = psnr;
    return code;
}

/* Saves the scores, whatever ended the input. An error of the input is told after that. */
static int finish(Score *s) {
    int code = 0;
    if (s->args.format == FORMAT_NPY)
        code = npy_write_f64(s->args.output, s->history, 1, &s->count);
    else if (s->file)
        code = file_commit(&s->file);
    if (s->video) {
        int video = video_writer_close(&s->video);
        code = code ? code : video;
    }
    return code;
}

static int run(Score *s) {
    if (s->args.format == FORMAT_CSV)
        write_text(s, "frame,seconds,psnr\n");
    s->worst = INFINITY;
    int code = 0;
    while (!code && !stop_requested() && (code = source_read(s->source, &s->frame)) == 0)
        code = score_frame(s);
    bool live = source_info(s->source)->live;
    bool stopped = code == ERR_STOPPED || (code == 0 && stop_requested());
    char reason[ERR_TEXT];
    snprintf(reason, sizeof reason, "%s", err_text());
    bool failed = code && code != ERR_END && !stopped;
    int finished = finish(s);
    if (failed) /* tell the first failure, not its consequences */
        return err_set(code, "%s", reason);
    if (finished)
        return finished;
    if (stopped)
        return live ? 0 : ERR_STOPPED;
    if (s->read <= s->window.frames)
        return err_set(ERR_FAIL, "%s has %lld frame%s; %d are needed for one score", s->input,
                       (long long)s->read, s->read == 1 ? "" : "s", s->window.frames + 1);
    return 0;
}

int cmd_score(int argc, char **argv) {
    Score s = {0};
    const OptGroup groups[] = {{"Scores", score_options, &s.args},
                               {"Compute", compute_options, &s.compute},
                               {NULL, NULL, NULL}};
    memcpy(s.groups, groups, sizeof groups);
    if (help_asked(argc, argv, usage, s.groups))
        return EXIT_OK;
    int code = parse(&s, argc, argv);
    if (!code)
        code = open_all(&s);
    if (!code)
        code = run(&s);
    bool anomaly = !code && s.worst < s.args.fail_on;
    if (anomaly)
        log_info("anomaly: the lowest PSNR is %.2f dB, --fail-on %.2f", s.worst, s.args.fail_on);
    score_close(&s);
    return anomaly ? EXIT_ANOMALY : exit_code(code, "score");
}
