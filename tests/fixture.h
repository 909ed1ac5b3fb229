/* Small made-up footage for tests, in a folder of its own that is removed at the end. Everything
 * here asserts: a fixture that cannot be made is a broken test. */
#ifndef TESTS_FIXTURE_H
#define TESTS_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

/* A fresh folder under $TMPDIR; and its removal with all it holds. */
void fixture_begin(void);
void fixture_end(void);

/* The same for cmocka, before and after a group of tests. */
int fixture_set_up(void **state);
int fixture_tear_down(void **state);

/* A path below the folder, printf style; one of 256 buffers in turn. Its parents are made. */
const char *fixture_path(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void fixture_write(const char *path, const void *data, size_t bytes);
void fixture_text(const char *path, const char *text);
void fixture_truncate(const char *path, size_t bytes);
size_t fixture_size(const char *path);

/* The test picture `seed`: a smooth pattern, so that lossy codecs keep it within a few levels. */
uint8_t fixture_pixel(int seed, int x, int y, int channel);

void fixture_bmp(const char *path, int width, int height, int seed);

/* A mask as a BMP: white in the `set` first pixels, black elsewhere. */
void fixture_mask(const char *path, int width, int height, int set);

/* `count` numbered BMP pictures "000.bmp", ... in a folder, seeds from `seed`. */
void fixture_clip(const char *folder, int count, int width, int height, int seed);

/* One picture by FFmpeg's encoder: "mjpeg", "png", "tiff". */
void fixture_encode(const char *path, const char *encoder, int width, int height, int seed);

/* A video whose frame t is picture `t`; `b_frames` reorders frames. The name's ending says the
 * container. */
void fixture_video(const char *path, const char *encoder, int width, int height, int frames,
                   int b_frames);

/* The same without the frames t where t % every is every / 2; in an AVI empty chunks stand there,
 * as programs write them that drop frames. */
void fixture_video_with_gaps(const char *path, const char *encoder, int width, int height,
                             int frames, int every);

#endif
