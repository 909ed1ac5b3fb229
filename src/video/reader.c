#include "video/reader.h"

#include <pthread.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"

enum { MOST = 32, LEAST = 3, ROOM = 96 << 20 /* bytes of pictures that wait */ };

/* Seconds that a frame may wait; and that one part of a playlist may keep the user busy. */
static const double LATE = 0.25, LATE_IN_PARTS = 10;

typedef struct {
    Frame frame;
    double came; /* on the monotonic clock */
} Slot;

/* A ring of frames. What stands below `lock` is guarded by it; a slot outside the ring's filled
 * part belongs to the thread, the source always. */
struct Reader {
    Source *source;
    SourceInfo info;
    Slot slot[MOST];
    int depth;
    pthread_t thread;
    double came, idle; /* the last frame taken; when the user last waited for one; the user's */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    int64_t put, taken; /* frames */
    int end;            /* the code that ended reading; 0 while it goes on */
    char reason[ERR_TEXT];
    bool stop;
};

static int wait_for_room(Reader *r) {
    pthread_mutex_lock(&r->lock);
    while (!r->stop && r->put - r->taken == r->depth)
        pthread_cond_wait(&r->changed, &r->lock);
    int code = r->stop ? ERR_STOPPED : 0;
    pthread_mutex_unlock(&r->lock);
    return code;
}

static void put(Reader *r, int code) {
    pthread_mutex_lock(&r->lock);
    r->put += !code;
    r->end = code;
    if (code && code != ERR_END)
        snprintf(r->reason, sizeof r->reason, "%s", err_text());
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

static void *read_ahead(void *arg) {
    Reader *r = arg;
    int code = 0;
    while (!code && wait_for_room(r) == 0) {
        Slot *s = &r->slot[r->put % r->depth];
        code = source_read(r->source, &s->frame);
        s->came = clock_seconds();
        put(r, code);
    }
    return NULL;
}

static int depth_for(const SourceInfo *info) {
    int64_t frames = ROOM / (3 * (int64_t)info->width * info->height + 1);
    return frames > MOST ? MOST : frames < LEAST ? LEAST : (int)frames;
}

int reader_open(Reader **out, Source **source) {
    Reader *r = mem_alloc(1, sizeof *r);
    if (!r)
        return ERR_FAIL;
    r->source = *source;
    r->info = *source_info(*source);
    r->depth = depth_for(&r->info);
    r->idle = clock_seconds();
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->changed, NULL);
    if (pthread_create(&r->thread, NULL, read_ahead, r)) {
        pthread_cond_destroy(&r->changed);
        pthread_mutex_destroy(&r->lock);
        mem_free(r);
        return err_set(ERR_FAIL, "cannot start the reading thread");
    }
    *source = NULL;
    *out = r;
    return 0;
}

void reader_free(Reader **out) {
    Reader *r = *out;
    if (!r)
        return;
    source_cancel(r->source);
    pthread_mutex_lock(&r->lock);
    r->stop = true;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
    pthread_join(r->thread, NULL);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    source_free(&r->source);
    for (int i = 0; i < MOST; i++)
        frame_free(&r->slot[i].frame);
    mem_free(r);
    *out = NULL;
}

int reader_next(Reader *r, Frame *f) {
    pthread_mutex_lock(&r->lock);
    if (r->put == r->taken)
        r->idle = clock_seconds();
    while (r->put == r->taken && !r->end)
        pthread_cond_wait(&r->changed, &r->lock);
    int code = r->put == r->taken ? r->end : 0;
    if (!code) {
        Slot *s = &r->slot[r->taken % r->depth];
        frame_move(f, &s->frame);
        r->came = s->came;
        r->taken++;
        pthread_cond_signal(&r->changed);
    } else if (code != ERR_END) {
        err_set(code, "%s", r->reason);
    }
    pthread_mutex_unlock(&r->lock);
    return code;
}

bool reader_is_late(Reader *r) {
    pthread_mutex_lock(&r->lock);
    int64_t waiting = r->put - r->taken;
    pthread_mutex_unlock(&r->lock);
    double now = clock_seconds();
    bool late = r->info.in_parts ? now - r->idle > LATE_IN_PARTS
                                 : now - r->came > LATE || 2 * waiting >= r->depth;
    return r->info.live && waiting > 0 && late;
}

const SourceInfo *reader_info(const Reader *r) {
    return &r->info;
}
