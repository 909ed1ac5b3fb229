/* normalcy score: the score of every frame of footage, as it arrives. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "app/cmd.h"
#include "app/common.h"
#include "app/footage.h"
#include "app/score_output.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/progress.h"
#include "base/stop.h"
#include "data/dataset.h"
#include "score/annotate.h"
#include "score/psnr.h"
#include "score/scorer.h"
#include "video/pair_reader.h"
#include "video/png.h"
#include "video/url.h"
#include "video/writer.h"

static const char usage[] =
    "usage: normalcy score MODEL INPUT [OPTIONS]\n\n"
    "Scores INPUT frame by frame: a video file or - for standard input, a folder of frames, a\n"
    "folder of such clips, a stream (rtsp://, http://) or a camera (/dev/video0). MODEL is a run\n"
    "folder, a checkpoint file or 'persistence'. Writes a line as soon as a frame is scored,\n"
    "until the input ends or Ctrl-C. The first frames have no score, because a prediction needs\n"
    "the frames before it. A lost stream or camera is opened again.\n\n"
    "A line has two scores. `psnr` is that of the predicted frame in dB: a lower one is less\n"
    "normal; 100 stands for equal frames. `surprise` says how rare the frame is among those of\n"
    "training: 2.3 is one in ten, 4.6 one in a hundred, 6.9 one in a thousand. `by` says what is\n"
    "odd: motion, the prediction's error, or something that stays. Models of earlier versions\n"
    "have no surprise.\n";

typedef struct {
    int format;
    char *output, *video, *maps;
    double fail_on, interval;
} ScoreArgs;

static const Opt score_options[] = {
    OPT_CHOICE_ROW(ScoreArgs, format, "format", "jsonl", score_format_names,
                   "lines, or a .npy array of PSNRs (needs -o; NaN: no score)"),
    OPT_TEXT_ROW(ScoreArgs, output, "output", NULL, "FILE",
                 "file for the scores, instead of stdout; those of a camera are appended"),
    OPT_TEXT_ROW(ScoreArgs, video, "video", NULL, "FILE.mp4",
                 "write the input with a map of what is odd and the score as a curve"),
    OPT_TEXT_ROW(ScoreArgs, maps, "maps", NULL, "FOLDER",
                 "write a PNG difference map of every scored frame"),
    OPT_REAL_ROW(ScoreArgs, fail_on, "fail-on", "0", 0, 100,
                 "exit code 3 if a PSNR is below this many dB; 0: never"),
    OPT_REAL_ROW(ScoreArgs, interval, "interval", "-1", -1, 3600,
                 "seconds between frames; 0: every frame; -1: as the model learned them"),
    OPT_END,
};

/* A score and where it was. */
typedef struct {
    double value, seconds;
    int64_t frame;
    const char *clip; /* NULL: there is one only */
} Extreme;

typedef struct {
    ScoreArgs args;
    ComputeArgs compute;
    SourceOptions source;
    OptGroup groups[4];
    const char *model, *input; /* borrowed from argv */
    Backend *be;
    Scorer *scorer;
    Dataset *clips; /* of a folder of clips; else NULL */
    PairReader *reader;
    const char *clip; /* the present clip's file or folder; NULL without clips */
    ScoreOutput *out;
    VideoWriter *video;
    uint8_t *canvas, *difference;
    int width, height; /* of the frames in the video */
    float *map;
    double *history; /* what the video's curve shows (annotate.h); NaN: no score */
    int count, room;
    FrameScore shown;           /* what the video shows; of frames left out the last one's */
    int64_t read, scored, late; /* frames; read: of this clip */
    Extreme lowest, oddest;     /* PSNR; surprise */
    bool told_slow, told_moved;
} Score;

static void score_close(Score *s) {
    progress_end();
    video_writer_free(&s->video);
    score_output_free(&s->out);
    mem_free(s->history);
    mem_free(s->canvas);
    mem_free(s->difference);
    mem_free(s->map);
    pair_reader_free(&s->reader);
    dataset_free(&s->clips);
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
    if ((code = check_order("score", s->model, s->input)))
        return code;
    const char *outputs[] = {s->args.output, s->args.video, s->args.maps};
    for (int i = 0; i < 3; i++)
        if (outputs[i] && file_is_same(outputs[i], s->input))
            return err_set(ERR_USAGE, "%s is the input; it would be overwritten", outputs[i]);
    return 0;
}

/* ---- opening ---- */

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

static int open_scorer_at_interval(Score *s) {
    int code = open_scorer(s);
    if (!code && s->args.interval >= 0)
        scorer_set_interval(s->scorer, s->args.interval);
    return code;
}

/* The test clips of a folder that is no clip itself. */
static int open_clips(Score *s) {
    if (url_kind(s->input) != URL_PATH || !file_is_folder(s->input))
        return 0;
    int code = footage_open(&s->clips, s->input);
    if (!code && s->clips->layout == LAYOUT_SINGLE)
        dataset_free(&s->clips);
    if (code || !s->clips)
        return code;
    if (s->clips->test.count == 0)
        return err_set(ERR_FAIL, "%s has no test clips", s->input);
    if (s->args.video && s->clips->test.count > 1)
        return err_set(ERR_USAGE, "--video shows one clip, but %s has %d: give one of them",
                       s->input, s->clips->test.count);
    return 0;
}

static int clip_count_of(const Score *s) {
    return s->clips ? s->clips->test.count : 1;
}

static int open_clip(Score *s, int i) {
    const ScorerInfo *info = scorer_info(s->scorer);
    const Clip *clip = s->clips ? &s->clips->test.clips[i] : NULL;
    PairReaderConfig c = {(int)info->size, (int)info->frames, info->interval,
                          scorer_ignore(s->scorer)};
    pair_reader_free(&s->reader);
    scorer_reset(s->scorer);
    s->clip = clip ? file_name(clip->url) : NULL;
    s->read = 0;
    return pair_reader_open(&s->reader, clip ? clip->url : s->input, &s->source, &c);
}

static int open_output(Score *s) {
    ScoreOutputConfig c = {.format = s->args.format,
                           .path = s->args.output,
                           .live = pair_reader_info(s->reader)->live,
                           .many = s->clips,
                           .surprise = scorer_has_surprise(s->scorer)};
    return score_output_open(&s->out, &c);
}

static int open_all(Score *s) {
    int code = open_scorer_at_interval(s);
    if (!code)
        code = open_clips(s);
    if (!code)
        code = open_clip(s, 0);
    if (!code)
        code = open_output(s);
    if (code)
        return code;
    const ScorerInfo *info = scorer_info(s->scorer);
    if (s->args.maps) {
        code = file_make_folder(s->args.maps);
        s->difference = mem_alloc((size_t)(info->size * info->size), 3);
        if (!code && !s->difference)
            code = ERR_FAIL;
    }
    s->map = mem_alloc((size_t)annotate_room(s->scorer), sizeof *s->map);
    return code || s->map ? code : ERR_FAIL;
}

/* ---- pictures ---- */

static int open_video(Score *s, const Frame *f) {
    const SourceInfo *info = pair_reader_info(s->reader);
    const VideoWriterOptions options = {f->width, f->height + ANNOTATE_STRIP, info->fps,
                                        info->aspect, info->live};
    s->width = f->width;
    s->height = f->height;
    s->canvas = mem_alloc((size_t)options.width * (size_t)options.height, 3);
    s->room = 2 * f->width + 2;
    s->history = mem_alloc((size_t)s->room, sizeof *s->history);
    if (!s->canvas || !s->history)
        return ERR_FAIL;
    return video_writer_open(&s->video, s->args.video, &options);
}

/* Keeps at least as many scores as the curve has columns. */
static void remember(Score *s) {
    if (s->count == s->room) {
        s->count /= 2;
        memmove(s->history, s->history + s->count, (size_t)s->count * sizeof *s->history);
    }
    s->history[s->count++] = scorer_has_surprise(s->scorer) ? s->shown.surprise : s->shown.psnr;
}

static int write_video(Score *s, const Frame *f) {
    int code = s->video ? 0 : open_video(s, f);
    if (code)
        return code;
    if (f->width != s->width || f->height != s->height)
        return err_set(ERR_FAIL,
                       "%s: the camera's picture was %d x %d and is %d x %d now: one video cannot "
                       "show both; start again with another name",
                       s->args.video, s->width, s->height, f->width, f->height);
    remember(s);
    annotate_frame((Canvas){s->canvas, f->width, f->height + ANNOTATE_STRIP}, f, s->scorer, s->map,
                   s->shown, s->history, s->count);
    return video_writer_add(s->video, s->canvas, f->seconds);
}

static int write_map(Score *s, int64_t frame) {
    char path[4096];
    int size = (int)scorer_info(s->scorer)->size;
    int length = snprintf(path, sizeof path, "%s/%s%s", s->args.maps, s->clip ? s->clip : "",
                          s->clip ? "/" : "");
    int code = s->clip ? file_make_folder(path) : 0;
    length += snprintf(path + length, length < 4000 ? 64 : 0, "%06lld.png", (long long)frame);
    if (code || length >= 4000)
        return code ? code
                    : err_set(ERR_FAIL, "--maps: its pictures would have names of over 4000 bytes");
    scorer_pictures(s->scorer, NULL, s->difference);
    return png_write(path, s->difference, size, size);
}

/* ---- scoring ---- */

static void judge(Score *s, const Frame *f, FrameScore score) {
    s->scored++;
    if (score.psnr < s->lowest.value)
        s->lowest = (Extreme){score.psnr, f->seconds, f->index, s->clip};
    if (score.surprise > s->oddest.value)
        s->oddest = (Extreme){score.surprise, f->seconds, f->index, s->clip};
}

/* What came while the stream was opened is no sign of slowness. */
static void tell_late(Score *s) {
    if (s->scored && s->late++ == 0)
        log_warn("scoring is slower than the camera: pairs are left out to keep up");
}

static void tell_slow(Score *s) {
    double spacing = pair_reader_spacing(s->reader);
    double interval = scorer_info(s->scorer)->interval;
    if (s->told_slow || interval <= 0 || spacing < 1.25 * interval)
        return;
    log_warn("a frame comes every %.3g s, but every %.3g s is wanted: scores may be lower", spacing,
             interval);
    s->told_slow = true;
}

static void tell_progress(const Score *s) {
    if (!s->args.output)
        return;
    progress_draw(s->clip ? s->clip : "scoring", s->read, pair_reader_info(s->reader)->frames,
                  "lowest %.2f dB", psnr_shown(s->lowest.value));
}

static void tell_moved(Score *s, const Frame *f) {
    const Motion *m = scorer_motion(s->scorer);
    if (s->told_moved || !m || motion_shift(m) <= MOTION_MOST_SHIFT)
        return;
    log_warn("the camera moves, first in frame %lld: motion is not judged in such frames",
             (long long)f->index);
    s->told_moved = true;
}

static int score_pair(Score *s, const Frame *f, FrameScore *score) {
    Opinions o;
    int code =
        scorer_run(s->scorer, pair_reader_x(s->reader), pair_reader_y(s->reader), &score->psnr);
    if (!code)
        code = scorer_judge(s->scorer, score->psnr, &o);
    if (code)
        return code;
    score->surprise = surprise_of(&o, &score->by);
    tell_moved(s, f);
    return 0;
}

static int score_frame(Score *s, const Frame *f, PairState state) {
    FrameScore score = {NAN, NAN, 0};
    scorer_add(s->scorer, f);
    int code = state == PAIR_WHOLE ? score_pair(s, f, &score) : 0;
    if (state == PAIR_LATE)
        tell_late(s);
    s->read++;
    if (!code)
        code = score_output_add(s->out, s->clip, f, score);
    if (state != PAIR_BETWEEN && state != PAIR_LATE)
        s->shown = score;
    if (!code && s->args.video)
        code = write_video(s, f);
    if (!code && s->args.maps && !isnan(score.psnr))
        code = write_map(s, f->index);
    if (!isnan(score.psnr))
        judge(s, f, score);
    tell_slow(s);
    tell_progress(s);
    return code;
}

/* Among other clips a short one is no failure. */
static int check_scored(const Score *s, int64_t before) {
    const ScorerInfo *info = scorer_info(s->scorer);
    char interval[48] = "";
    if (s->scored > before)
        return 0;
    if (info->interval > 0)
        snprintf(interval, sizeof interval, ", %.3g s apart", info->interval);
    int code = err_set(ERR_FAIL, "%s has %lld frame%s; %d are needed for one score%s",
                       s->clip ? s->clip : s->input, (long long)s->read, s->read == 1 ? "" : "s",
                       (int)info->frames + 1, interval);
    if (clip_count_of(s) == 1)
        return code;
    log_warn("%s", err_text());
    return 0;
}

static int score_clip(Score *s) {
    int64_t before = s->scored;
    const Frame *f;
    PairState state;
    int code = 0;
    while (!code && !stop_requested() && (code = pair_reader_next(s->reader, &f, &state)) == 0)
        code = score_frame(s, f, state);
    if (!code)
        return err_set(ERR_STOPPED, "stopped");
    return code == ERR_END ? check_scored(s, before) : code;
}

/* Saves the scores, whatever ended the input. */
static int finish(Score *s) {
    int code = score_output_save(s->out);
    if (s->video) {
        int video = video_writer_close(&s->video);
        code = code ? code : video;
    }
    return code;
}

/* "7.25 dB in frame 31, 3.100 s of a.mp4" */
static void extreme_text(char *buf, size_t n, const Extreme *e, const char *unit) {
    char when[64] = "";
    if (isfinite(e->seconds))
        snprintf(when, sizeof when, ", %.3f s", e->seconds);
    snprintf(buf, n, "%.2f%s in frame %lld%s%s%s", e->value, unit, (long long)e->frame, when,
             e->clip ? " of " : "", e->clip ? e->clip : "");
}

static void tell_summary(const Score *s) {
    char late[64] = "", lowest[512], oddest[512];
    progress_end();
    if (!s->scored || (!s->args.output && !s->late))
        return;
    if (s->late)
        snprintf(late, sizeof late, ", %lld left out to keep up", (long long)s->late);
    Extreme shown = s->lowest;
    shown.value = psnr_shown(shown.value);
    extreme_text(lowest, sizeof lowest, &shown, " dB");
    log_info("scored    %lld frames%s; lowest %s", (long long)s->scored, late, lowest);
    if (!(s->oddest.value >= 0))
        return;
    extreme_text(oddest, sizeof oddest, &s->oddest, "");
    log_info("surprise  highest %s", oddest);
}

static int run(Score *s) {
    bool live = pair_reader_info(s->reader)->live;
    int code = score_clip(s);
    for (int i = 1; i < clip_count_of(s) && !code; i++) {
        code = open_clip(s, i);
        if (!code)
            code = score_clip(s);
    }
    char reason[ERR_TEXT];
    snprintf(reason, sizeof reason, "%s", err_text());
    int finished = finish(s);
    tell_summary(s);
    if (!code && s->scored == 0)
        return err_set(ERR_FAIL, "no clip of %s has enough frames for a score", s->input);
    if (code && code != ERR_STOPPED) /* tell the first failure, not its consequences */
        return err_set(code, "%s", reason);
    if (finished)
        return finished;
    return live ? 0 : code;
}

int cmd_score(int argc, char **argv) {
    Score s = {.lowest = {INFINITY, NAN, 0, NULL}, .oddest = {-INFINITY, NAN, 0, NULL}};
    const OptGroup groups[] = {{"Scores", score_options, &s.args},
                               {"Input", source_options, &s.source},
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
    bool anomaly = !code && s.args.fail_on > 0 && s.lowest.value < s.args.fail_on;
    if (anomaly)
        log_info("anomaly: the lowest PSNR is %.2f dB, --fail-on %.2f", s.lowest.value,
                 s.args.fail_on);
    score_close(&s);
    return anomaly ? EXIT_ANOMALY : exit_code(code, "score");
}
