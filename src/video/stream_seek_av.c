#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "video/stream_internal.h"

/* Back to the first frame. Seeking there by a timestamp fails in some containers. */
static int reopen(Stream *s) {
    stream_end(s);
    return stream_start(s);
}

static int by_value(const void *a, const void *b) {
    int64_t p = *(const int64_t *)a, q = *(const int64_t *)b;
    return p < q ? -1 : p > q;
}

static int append(int64_t **list, int64_t *n, int64_t value) {
    if ((*n & (*n - 1)) == 0) { /* full at every power of two */
        int64_t *more = mem_grow(*list, (size_t)*n, *n ? 2 * (size_t)*n : 1, sizeof **list);
        if (!more)
            return ERR_FAIL;
        *list = more;
    }
    (*list)[(*n)++] = value;
    return 0;
}

/* Timestamps name frames if every packet is a frame and has its own: AVI gives none to reordered
 * frames, VP8 has packets that are not shown, and fields may come apart. */
static bool timestamps_tell(const Stream *s) {
    bool whole = s->codec->field_order <= AV_FIELD_PROGRESSIVE;
    bool tell = whole && s->codec->codec_id != AV_CODEC_ID_VP8 && s->frames > 0 && s->keys > 0 &&
                s->pts[0] != AV_NOPTS_VALUE;
    for (int64_t i = 1; i < s->frames && tell; i++)
        tell = s->pts[i - 1] < s->pts[i];
    return tell;
}

/* Reads all packets, decoding none, to learn when frames are shown and where decoding can start. */
static int make_index(Stream *s) {
    int code = reopen(s), e = 0;
    s->frames = s->keys = 0;
    while (!code && (e = stream_packet(s)) >= 0) {
        const AVPacket *p = s->packet;
        bool by_dts = p->pts == AV_NOPTS_VALUE && s->codec->has_b_frames == 0;
        int64_t pts = by_dts ? p->dts : p->pts;
        if (!(p->flags & AV_PKT_FLAG_DISCARD))
            code = append(&s->pts, &s->frames, pts);
        if (!code && p->flags & AV_PKT_FLAG_KEY)
            code = append(&s->key, &s->keys, pts);
        av_packet_unref(s->packet);
    }
    if (!code && e != AVERROR_EOF)
        code = input_fail(&s->input, e, "reading");
    if (code)
        return code;
    if (s->frames)
        qsort(s->pts, (size_t)s->frames, sizeof *s->pts, by_value);
    if (s->keys)
        qsort(s->key, (size_t)s->keys, sizeof *s->key, by_value);
    s->indexed = true;
    if (!timestamps_tell(s))
        s->frames = 0;
    return reopen(s);
}

/* Decodes up to frame `index`, which then is held. */
static int walk(Stream *s, int64_t index) {
    while (!s->held || s->next < index) {
        s->next += s->held;
        s->held = false;
        int code = stream_decode(s);
        if (code)
            return code == ERR_END ? err_set(ERR_FAIL, "%s: there is no frame %lld; it has %lld",
                                             s->name, (long long)index, (long long)s->next)
                                   : code;
        s->held = true;
    }
    return 0;
}

/* Tries the nearest key frame. *found says whether timestamps led exactly to the frame. */
static int jump(Stream *s, int64_t index, bool *found) {
    int64_t want = s->pts[index], from = s->key[0];
    for (int64_t i = 0; i < s->keys && s->key[i] <= want; i++)
        from = s->key[i];
    *found = false;
    if (input_seek(&s->input, from) < 0)
        return 0;
    avcodec_flush_buffers(s->codec);
    s->draining = s->held = s->damaged = false;
    s->wait_key = true;
    for (int64_t pts = from; pts < want || !s->held;) {
        int code = stream_decode(s);
        if (code)
            return code == ERR_END ? 0 : code;
        s->held = true;
        pts = s->frame->best_effort_timestamp;
        if (pts == AV_NOPTS_VALUE || pts > want)
            return 0;
    }
    double at = (double)(want - s->pts[0]) * av_q2d(s->input.video->time_base);
    s->seconds = at;
    s->time = (Timeline){
        .shift = at - (double)want * av_q2d(s->input.video->time_base), .last = at, .begun = true};
    s->next = index;
    *found = true;
    return 0;
}

/* Decoding on is cheaper than a jump over a few frames. */
static bool is_near(const Stream *s, int64_t index) {
    enum { NEAR = 16 }; /* frames */
    return !s->lost && index >= s->next && index < s->next + NEAR;
}

int stream_seek(Stream *s, int64_t index) {
    if (index == s->next && !s->lost)
        return 0;
    if (s->input.pipe)
        return err_set(ERR_FAIL, "%s can be read once only; give a file", s->name);
    bool found = false, near = is_near(s, index);
    int code = near ? 0 : !s->indexed ? make_index(s) : s->lost ? reopen(s) : 0;
    if (!code && !near && index < s->frames) {
        code = jump(s, index, &found);
        if (!code && !found)
            code = reopen(s);
    } else if (!code && index < s->next) {
        code = reopen(s);
    }
    code = code || found ? code : walk(s, index);
    s->lost = code != 0;
    s->next = index; /* after a failure too: a read then tries the same */
    return code;
}

/* Decodes all frames for their seconds. */
static int decode_times(Stream *s, double **seconds, int64_t *n) {
    int64_t room = 0, count = 0;
    double *list = NULL;
    bool timed = true;
    int code;
    while ((code = stream_decode(s)) == 0) {
        double *more = mem_room(list, count, &room, sizeof *list);
        if (!more) {
            code = ERR_FAIL;
            break;
        }
        list = more;
        list[count++] = s->seconds;
        timed &= isfinite(s->seconds);
    }
    if (code != ERR_END || !timed) {
        mem_free(list);
        list = NULL;
    }
    *seconds = list;
    *n = count;
    return code == ERR_END ? 0 : code;
}

static int index_times(const Stream *s, double **seconds, int64_t *n) {
    double *list = mem_alloc((size_t)s->frames, sizeof *list);
    if (!list)
        return ERR_FAIL;
    for (int64_t i = 0; i < s->frames; i++)
        list[i] = (double)(s->pts[i] - s->pts[0]) * av_q2d(s->input.video->time_base);
    *seconds = list;
    *n = s->frames;
    return 0;
}

/* Packets tell where the container says how many frames there are, and each has its own. */
int stream_times(Stream *s, double **seconds, int64_t *n) {
    if (s->input.pipe)
        return err_set(ERR_FAIL, "%s can be read once only; give a file", s->name);
    int code = s->announced < 0 || s->indexed ? reopen(s) : make_index(s);
    if (!code && s->announced >= 0 && s->frames == s->announced)
        return index_times(s, seconds, n);
    if (!code)
        code = decode_times(s, seconds, n);
    return code ? code : reopen(s);
}
