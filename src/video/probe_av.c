#include "video/probe_av.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

#include "base/mem.h"
#include "video/ffmpeg.h"
#include "video/listing.h"

/* ---- by the first bytes ---- */

static bool is_text(const unsigned char *p, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (p[i] == 127 || (p[i] < ' ' && !strchr("\t\n\r\f\033", p[i])) || p[i] == 0)
            return false;
    return true;
}

/* Bytes above 127 are letters of a text in any encoding, or a video's, which soon has a NUL. */
static bool may_be_video(const char *path) {
    static const char *const others[] = {"\x93NUMPY", "PK\3\4",        "%PDF",   "\x1f\x8b",
                                         "\x89HDF",   "SQLite format", "\177ELF"};
    unsigned char head[1024];
    FILE *f = fopen(path, "rbe");
    size_t n = f ? fread(head, 1, sizeof head, f) : 0;
    if (f)
        fclose(f);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (n >= strlen(others[i]) && memcmp(head, others[i], strlen(others[i])) == 0)
            return false;
    bool y4m = n >= 9 && memcmp(head, "YUV4MPEG2", 9) == 0; /* its header is a text */
    return n > 0 && (y4m || !is_text(head, n));
}

/* ---- by FFmpeg ---- */

static bool is_any(const char *name, const char *const *names) {
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

/* Demuxers of single pictures, and of texts drawn as pictures. */
static bool is_picture(const AVFormatContext *f) {
    static const char *const names[] = {"image2", "ico", "tty", "bin", "xbin", "adf", "idf", NULL};
    const char *name = f->iformat->name, *pipe = strstr(name, "_pipe");
    return (pipe && strcmp(pipe, "_pipe") == 0) || is_any(name, names);
}

static int video_stream(const AVFormatContext *f) {
    for (unsigned i = 0; i < f->nb_streams; i++) {
        const AVStream *s = f->streams[i];
        const AVCodecParameters *p = s->codecpar;
        if (p->codec_type == AVMEDIA_TYPE_VIDEO && p->width > 0 && p->height > 0 &&
            !(s->disposition & AV_DISPOSITION_ATTACHED_PIC) && avcodec_find_decoder(p->codec_id))
            return (int)i;
    }
    return -1;
}

/* Containers that most often hold one picture must show a second one. */
static bool is_moving(AVFormatContext *f) {
    static const char *const names[] = {"gif", "apng", NULL};
    AVPacket *p = is_any(f->iformat->name, names) ? av_packet_alloc() : NULL;
    bool moving = true;
    for (int i = 0; i < 2 && p && moving; i++) {
        moving = av_read_frame(f, p) >= 0;
        av_packet_unref(p);
    }
    av_packet_free(&p);
    return moving;
}

bool probe_is_video(const char *path) {
    struct stat st;
    if (stat(path, &st) || !S_ISREG(st.st_mode) || listing_is_image(path) || !may_be_video(path))
        return false;
    ffmpeg_start();
    char *url = mem_printf("file:%s", path);
    AVFormatContext *f = NULL;
    AVDictionary *options = NULL;
    av_dict_set(&options, "protocol_whitelist", "file", 0); /* a file may name addresses */
    bool is = url && avformat_open_input(&f, url, NULL, &options) >= 0;
    av_dict_free(&options);
    mem_free(url);
    if (!is)
        return false;
    is = !is_picture(f) &&
         (video_stream(f) >= 0 ||
          (avformat_find_stream_info(f, NULL) >= 0 && video_stream(f) >= 0)) &&
         is_moving(f);
    avformat_close_input(&f);
    return is;
}
