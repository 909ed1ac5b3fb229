/* Opens a folder of footage as a list of clips, in any known layout.
 *
 * Layouts known (method D.6): the common training/frames, testing/frames one (Ped2 and Avenue
 * packages); UCSD's own (Train/Train001/001.tif, Test/Test001, Test001_gt); Avenue's own
 * (training_videos/01.avi, testing_videos, ground_truth_demo/testing_label_mask); ShanghaiTech's
 * (training/videos, testing/frames, test_frame_mask, test_pixel_mask); folders of frames and video
 * files side by side; one video file, one folder of frames or one URL (a single clip). The last two
 * layouts have no split, so their clips count both for training and for testing.
 *
 * A video is what probe_av.h says. A folder with pictures and clips in it is a single clip where
 * the pictures are more, else a folder of clips. */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include <stdbool.h>
#include <stdint.h>

#include "data/remarks.h"

typedef enum {
    LAYOUT_FRAMES,       /* training/frames, testing/frames */
    LAYOUT_UCSD,         /* Train/Train001, Test/Test001, Test001_gt */
    LAYOUT_AVENUE,       /* training_videos, testing_videos */
    LAYOUT_SHANGHAITECH, /* training/videos, testing/frames */
    LAYOUT_CLIPS,        /* clip folders or video files side by side */
    LAYOUT_SINGLE,       /* one clip */
} Layout;

extern const char *const layout_names[];

typedef struct {
    char *name;     /* "01", "Test001", "01_0014": unique in its split; "a.mp4" beside "a.mkv" */
    char *url;      /* for source_open */
    int64_t frames; /* from the folder's listing or the container; -1 unknown before reading */
    bool part;      /* it is only so many frames of its source (cut.h) */
    int64_t first;  /* from this one on */
} Clip;

typedef struct {
    Clip *clips;
    int count;
} Split;

typedef struct {
    char *root;
    Layout layout;
    Split train, test; /* in the order of listing_compare */
    Remarks remarks;
} Dataset;

/* Opens the data set at `path` without decoding frames. ERR_FAIL where nothing is there, where the
 * folder is empty, or where no layout fits. The message says what was expected and found. An absent
 * split has count 0; callers that need it report that. */
int dataset_open(Dataset **out, const char *path);
void dataset_free(Dataset **d);

/* Frees the clips of a split that is no data set's. Accepts a zeroed one. */
void split_free(Split *s);

/* The number of frames of a clip: c->frames if known, else by reading the whole clip. ERR_FAIL for
 * a live source. */
int clip_count(const Clip *c, int64_t *frames);

#endif
