#include "video/source.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "video/listing.h"
#include "video/live.h"
#include "video/picture_av.h"
#include "video/url.h"

/* Either images with their decoder, or a stream, or one that comes back. */
struct Source {
    char *url, *path; /* path: of a file or folder; else NULL */
    char *name;       /* for messages: the url without user and password */
    SourceInfo info;
    SourceOptions options;
    atomic_bool cancel;
    Listing images;
    ImageDecoder *decoder;
    Stream *stream;
    Live *live;
    int64_t next; /* position of the next image */
    const Ignore *ignore;
};

static int read_image(Source *s, int64_t index, Frame *f) {
    int code = image_decoder_read(s->decoder, s->images.item[index].path, f);
    if (code)
        return err_context(code, "frame %lld", (long long)index);
    f->index = index;
    f->seconds = f->wall = NAN;
    f->corrupt = f->after_gap = false;
    return 0;
}

static int open_images(Source *s) {
    Frame first = {0};
    int code = image_decoder_open(&s->decoder);
    if (!code)
        code = read_image(s, 0, &first);
    s->info = (SourceInfo){
        .width = first.width, .height = first.height, .frames = s->images.count, .aspect = 1};
    frame_free(&first);
    return code;
}

static int open_folder(Source *s) {
    int code = listing_open(&s->images, s->path, LIST_IMAGES);
    if (code)
        return code;
    if (s->images.count == 0)
        return err_set(ERR_FAIL,
                       "%s holds no pictures; expected numbered .jpg, .png, .bmp or .tif files",
                       s->name);
    return open_images(s);
}

static int open_picture(Source *s) {
    s->images.item = mem_alloc(1, sizeof *s->images.item);
    char *path = mem_printf("%s", s->path);
    if (!s->images.item || !path) {
        mem_free(path);
        return ERR_FAIL;
    }
    s->images.item[0].path = path;
    s->images.count = 1;
    return open_images(s);
}

/* A password with "/" in it would make the rest of it a host to look for. */
static int check_url(const Source *s) {
    char unescaped = url_unescaped(s->url);
    return url_is_broken(s->url)
               ? err_set(ERR_FAIL, "%s: the user name or password holds \"%c\"; write it as %%%02X",
                         s->name, unescaped, (unsigned)unescaped)
               : 0;
}

static int open_stream(Source *s) {
    int code = check_url(s);
    if (!code)
        code = stream_open(&s->stream, s->url, s->name, s->options.timeout, &s->cancel, &s->info);
    char unescaped = url_unescaped(s->url);
    if (code == ERR_FAIL && unescaped && !url_is_broken(s->url)) {
        char reason[ERR_TEXT];
        snprintf(reason, sizeof reason, "%s", err_text());
        return err_set(code, "%s; is \"%c\" in the user name or password? write it as %%%02X",
                       reason, unescaped, (unsigned)unescaped);
    }
    if (!code && s->info.live)
        code = live_open(&s->live, &s->stream, s->url, s->name, &s->options, &s->cancel);
    return code;
}

static int no_file(const Source *s) {
    int code = err_sys(ERR_FAIL, "cannot open %s", s->name);
    if (strcmp(s->name, s->path) == 0)
        return code;
    return err_set(ERR_FAIL,
                   "there is no file %s; the address of a camera begins with its protocol: "
                   "rtsp://USER:PASSWORD@HOST/PATH",
                   s->name);
}

static int open_any(Source *s) {
    if (url_kind(s->url) != URL_PATH)
        return open_stream(s);
    if (!(s->path = url_path(s->url)))
        return ERR_FAIL;
    if (!file_exists(s->path))
        return no_file(s);
    if (file_is_folder(s->path))
        return open_folder(s);
    return listing_is_image(s->path) ? open_picture(s) : open_stream(s);
}

int source_open(Source **out, const char *url) {
    return source_open_with(out, url, NULL);
}

int source_open_with(Source **out, const char *url, const SourceOptions *options) {
    Source *s = mem_alloc(1, sizeof *s);
    if (!s)
        return ERR_FAIL;
    int code = opt_defaults((OptGroup[]){{"", source_options, &s->options}, {0}});
    if (options)
        s->options = *options;
    s->url = mem_printf("%s", url);
    s->name = url_shown(url);
    if (!code)
        code = s->url && s->name ? open_any(s) : ERR_FAIL;
    if (code)
        source_free(&s);
    else
        *out = s;
    return code;
}

void source_free(Source **out) {
    Source *s = *out;
    if (!s)
        return;
    live_free(&s->live);
    stream_free(&s->stream);
    image_decoder_free(&s->decoder);
    listing_free(&s->images);
    mem_free(s->name);
    mem_free(s->path);
    mem_free(s->url);
    mem_free(s);
    *out = NULL;
}

const SourceInfo *source_info(const Source *s) {
    return &s->info;
}

const char *source_name(const Source *s) {
    return s->name;
}

void source_cancel(Source *s) {
    s->cancel = true;
}

static int read_any(Source *s, Frame *f) {
    if (s->live)
        return live_read(s->live, f);
    if (s->stream)
        return stream_read(s->stream, f);
    if (s->next == s->images.count)
        return ERR_END;
    int code = read_image(s, s->next, f);
    s->next += !code;
    return code;
}

void source_ignore(Source *s, const Ignore *ignore) {
    s->ignore = ignore;
}

int source_read(Source *s, Frame *f) {
    int code = read_any(s, f);
    f->ignore = s->ignore;
    if (code || (f->width == s->info.width && f->height == s->info.height))
        return code;
    bool first = s->stream && f->index == 0; /* the picture's own orientation is known only now */
    if (!s->live && !first)
        return err_set(ERR_FAIL,
                       "%s: frame %lld is %d x %d, but the first one is %d x %d; all frames of a "
                       "clip must have one size",
                       s->stream ? s->name : s->images.item[f->index].path, (long long)f->index,
                       f->width, f->height, s->info.width, s->info.height);
    s->info.width = f->width;
    s->info.height = f->height;
    f->after_gap = !first;
    return 0;
}

static int check_recorded(const Source *s) {
    return s->info.live
               ? err_set(ERR_FAIL, "%s is live and cannot be searched; record it first", s->name)
               : 0;
}

int source_times(Source *s, double **seconds, int64_t *n) {
    int code = check_recorded(s);
    if (!code && s->stream)
        return stream_times(s->stream, seconds, n);
    *seconds = NULL;
    *n = s->images.count;
    return code;
}

int source_seek(Source *s, int64_t index) {
    int code = check_recorded(s);
    if (code)
        return code;
    if (index < 0 || (s->info.frames >= 0 && index >= s->info.frames))
        return err_set(ERR_FAIL, "%s: there is no frame %lld; it has %lld", s->name,
                       (long long)index, (long long)s->info.frames);
    if (s->stream)
        return stream_seek(s->stream, index);
    s->next = index;
    return 0;
}
