#include "app/learn_scene.h"

#include "base/err.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/stop.h"
#include "score/motion_learn.h"
#include "score/stays_learn.h"
#include "video/sampler.h"
#include "video/source.h"

/* What is kept of the frames: about a quarter of an hour at ten a second. */
static const int64_t MOTION_ROOM = 400000000, STAYS_ROOM = 200000000;

static const double INTERVAL = 0.1;

typedef struct {
    Backend *be;
    const Ignore *ignore;
    Movement *movement;
    MotionLearner *motion;
    StaysLearner *stays;
    int64_t read, total; /* frames; total -1: not known */
} Pass;

static int open_for(Pass *p, const Frame *f) {
    MovementSize size = movement_size(f->width, f->height);
    int code = movement_open(&p->movement, p->be, size);
    if (!code)
        code = motion_learner_open(&p->motion, size, MOTION_ROOM);
    return code ? code : stays_learner_open(&p->stays, size, STAYS_ROOM);
}

static int take(Pass *p, const Frame *f, Sampler *sampler) {
    bool ready = false;
    int code = p->movement ? 0 : open_for(p, f);
    if (code)
        return code;
    movement_add(p->movement, f);
    stays_learner_add(p->stays, p->movement, f);
    if (!f->corrupt && sampler_take(sampler, f->seconds))
        code = movement_measure(p->movement, &ready);
    if (!code && ready && movement_shift(p->movement) <= MOTION_MOST_SHIFT)
        motion_learner_add(p->motion, p->movement);
    return code;
}

static int learn_clip(Pass *p, const Clip *clip) {
    Source *source = NULL;
    Sampler sampler;
    Frame f = {0};
    int code = source_open(&source, clip->url);
    if (!code)
        source_ignore(source, p->ignore);
    if (!code && clip->first > 0)
        code = source_seek(source, clip->first);
    sampler_start(&sampler, INTERVAL);
    if (p->movement) {
        movement_reset(p->movement);
        stays_learner_reset(p->stays);
    }
    while (!code && (code = source_read(source, &f)) == 0) {
        if (clip->part && f.index >= clip->first + clip->frames)
            break;
        code = stop_requested() ? ERR_STOPPED : take(p, &f, &sampler);
        progress_draw("motion", ++p->read, p->total, "%s", clip->name);
    }
    frame_free(&f);
    source_free(&source);
    return code == ERR_END ? 0 : code;
}

/* From less than a minute, the surprise ranks frames but its level cannot be trusted. */
static void tell(const MotionModel *m, int64_t read) {
    enum { ENOUGH = 600 };
    if (!m && read > 1)
        log_warn(
            "nothing was learned of motion: the camera moves too much, or clips have one frame");
    if (!m)
        return;
    log_info("motion    learned from %d frames", m->held_out.count);
    if (m->held_out.count < ENOUGH)
        log_warn("that is less than a minute: the surprise of normal motion may be high; more "
                 "footage of what is normal helps");
}

/* Both or none. */
static int finish(Judgement *out, const Pass *p) {
    int code = motion_learner_finish(p->motion, &out->motion);
    if (!code && out->motion)
        code = stays_learner_finish(p->stays, &out->stays);
    if (code)
        motion_model_free(&out->motion);
    return code;
}

int learn_scene(Judgement *out, const Split *split, Backend *be) {
    Pass p = {.be = be, .ignore = out->ignore};
    int code = 0;
    for (int i = 0; i < split->count; i++)
        p.total = p.total < 0 || split->clips[i].frames < 0 ? -1 : p.total + split->clips[i].frames;
    for (int i = 0; i < split->count && !code; i++)
        code = learn_clip(&p, &split->clips[i]);
    progress_end();
    if (!code && p.stays)
        code = finish(out, &p);
    movement_free(&p.movement);
    motion_learner_free(&p.motion);
    stays_learner_free(&p.stays);
    if (!code)
        tell(out->motion, p.read);
    return code;
}
