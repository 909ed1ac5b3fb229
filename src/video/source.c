#include "video/source.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "video/listing.h"
#include "video/picture_av.h"
#include "video/stream_av.h"

/* Either numbered images with their decoder, or a stream. */
struct Source {
    char *url;
    char *name; /* for messages: the url without user and password */
    SourceInfo info;
    Listing images;
    ImageDecoder *decoder;
    Stream *stream;
    int64_t next; /* position of the next image */
};

static int read_image(Source *s, int64_t index, Frame *f) {
    int code = image_decoder_read(s->decoder, s->images.item[index].path, f);
    if (code)
        return err_context(code, "frame %lld", (long long)index);
    f->index = index;
    f->seconds = NAN;
    f->corrupt = false;
    return 0;
}

static int open_images(Source *s) {
    Frame first = {0};
    int code = image_decoder_open(&s->decoder);
    if (!code)
        code = read_image(s, 0, &first);
    s->info = (SourceInfo){first.width, first.height, s->images.count, 0, false};
    frame_free(&first);
    return code;
}

static int open_folder(Source *s) {
    int code = listing_open(&s->images, s->url, LIST_IMAGES);
    if (code)
        return code;
    if (s->images.count == 0)
        return err_set(ERR_FAIL,
                       "%s holds no pictures; expected numbered .jpg, .png, .bmp or .tif files",
                       s->url);
    return open_images(s);
}

static int open_picture(Source *s) {
    s->images.item = mem_alloc(1, sizeof *s->images.item);
    char *path = mem_printf("%s", s->url);
    if (!s->images.item || !path) {
        mem_free(path);
        return ERR_FAIL;
    }
    s->images.item[0].path = path;
    s->images.count = 1;
    return open_images(s);
}

static char *without_password(const char *url) {
    const char *host = strstr(url, "://");
    if (!host)
        return mem_printf("%s", url);
    host += 3;
    size_t authority = strcspn(host, "/?#");
    const char *at = memrchr(host, '@', authority);
    return at ? mem_printf("%.*s***%s", (int)(host - url), url, at) : mem_printf("%s", url);
}

bool source_is_live(const char *url) {
    return strstr(url, "://") || strncmp(url, "/dev/video", 10) == 0;
}

static int open_any(Source *s) {
    const char *url = s->url;
    if (source_is_live(url))
        return stream_open(&s->stream, url, s->name, true, &s->info);
    if (!file_exists(url))
        return err_sys(ERR_FAIL, "cannot open %s", url);
    if (file_is_folder(url))
        return open_folder(s);
    if (listing_is_image(url))
        return open_picture(s);
    return stream_open(&s->stream, url, s->name, false, &s->info);
}

int source_open(Source **out, const char *url) {
    Source *s = mem_alloc(1, sizeof *s);
    if (!s)
        return ERR_FAIL;
    s->url = mem_printf("%s", url);
    s->name = without_password(url);
    int code = s->url && s->name ? open_any(s) : ERR_FAIL;
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
    stream_free(&s->stream);
    image_decoder_free(&s->decoder);
    listing_free(&s->images);
    mem_free(s->name);
    mem_free(s->url);
    mem_free(s);
    *out = NULL;
}

const SourceInfo *source_info(const Source *s) {
    return &s->info;
}

int source_read(Source *s, Frame *f) {
    int code;
    if (s->stream) {
        code = stream_read(s->stream, f);
    } else {
        if (s->next == s->images.count)
            return ERR_END;
        code = read_image(s, s->next, f);
        s->next += !code;
    }
    if (code)
        return code;
    if (f->width != s->info.width || f->height != s->info.height)
        return err_set(ERR_FAIL,
                       "%s: frame %lld is %d x %d, but the first one is %d x %d; all frames of a "
                       "clip must have one size",
                       s->stream ? s->name : s->images.item[f->index].path, (long long)f->index,
                       f->width, f->height, s->info.width, s->info.height);
    return 0;
}

int source_seek(Source *s, int64_t index) {
    if (s->info.live)
        return err_set(ERR_FAIL, "%s is live and cannot be searched", s->name);
    if (index < 0 || (s->info.frames >= 0 && index >= s->info.frames))
        return err_set(ERR_FAIL, "%s: there is no frame %lld; it has %lld", s->url,
                       (long long)index, (long long)s->info.frames);
    if (s->stream)
        return stream_seek(s->stream, index);
    s->next = index;
    return 0;
}
