/* The report: whole, well-formed, self-contained HTML whatever goes in. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "random.h"
#include "report/html_table.h"
#include "report/report.h"

static char folder[] = "/tmp/normalcy-report-XXXXXX";

/* Writes the report and gives its text, to be freed with mem_free. */
static char *page_of(const Report *r) {
    char path[256], *page;
    size_t bytes;
    snprintf(path, sizeof path, "%s/report.html", folder);
    assert_int_equal(report_write(r, path), 0);
    assert_int_equal(file_read(path, 64 << 20, &page, &bytes), 0);
    assert_int_equal(strlen(page), bytes);
    unlink(path);
    return page;
}

static int count(const char *page, const char *word) {
    int n = 0;
    for (const char *p = page; (p = strstr(p, word)); p += strlen(word))
        n++;
    return n;
}

/* Every element that opens closes, in order; void and self-closed ones aside. */
static void check_balanced(const char *page) {
    static const char *const voids[] = {"meta", "link", "img", "br", "wbr", "!DOCTYPE"};
    char open[64][16];
    int depth = 0;
    for (const char *p = page; (p = strchr(p, '<')); p++) {
        bool closing = p[1] == '/', is_void = false;
        const char *name = p + 1 + closing, *end = strchr(p, '>');
        assert_non_null(end);
        size_t n = strcspn(name, " \t\n/>");
        assert_true(n > 0 && n < 16);
        for (size_t i = 0; i < sizeof voids / sizeof *voids; i++)
            is_void |= strlen(voids[i]) == n && strncmp(voids[i], name, n) == 0;
        if (closing) {
            assert_true(depth > 0);
            depth--;
            assert_true(strlen(open[depth]) == n && strncmp(open[depth], name, n) == 0);
        } else if (!is_void && end[-1] != '/') {
            assert_true(depth < 64);
            snprintf(open[depth++], sizeof open[0], "%.*s", (int)n, name);
        }
        p = end;
    }
    assert_int_equal(depth, 0);
}

/* No number that is none, nothing fetched from anywhere, nothing that runs. */
static void check_page(const char *page) {
    assert_true(strncmp(page, "<!DOCTYPE html>", 15) == 0);
    assert_non_null(strstr(page, "</html>"));
    check_balanced(page);
    static const char *const never[] = {"http", "<script", "javascript", "@import", "url(", "NaN",
                                        ">nan", "\"nan",   "-nan",       " nan",    ">inf", "-inf"};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        assert_null(strstr(page, never[i]));
}

enum { CLIPS = 3, FRAMES = 120, SIDE = 8 };

typedef struct {
    double anomaly[CLIPS * FRAMES], baseline[CLIPS * FRAMES];
    uint8_t label[CLIPS * FRAMES];
    uint8_t picture[SIDE * SIDE * 3];
    ReportClip clips[CLIPS];
    ReportFrame frames[2];
    ReportGroup group;
    RocPoint *roc, *roc_baseline;
    ResultRow rows[4];
    Report report;
} Sample;

static Sample *sample_new(void) {
    Sample *s = mem_alloc(1, sizeof *s);
    Rng r = rng_stream(1, RNG_TEST, 0, 0);
    for (int i = 0; i < CLIPS * FRAMES; i++) {
        s->label[i] = i % FRAMES >= 40 && i % FRAMES < 80 && i >= FRAMES;
        s->anomaly[i] = 0.4 * rng_uniform(&r, (uint64_t)i) + 0.5 * s->label[i];
        s->baseline[i] = rng_uniform(&r, (uint64_t)(10000 + i));
    }
    static const char *const names[] = {"01", "02", "03"}, *const notes[] = {"normal", "a", "b"};
    for (int c = 0; c < CLIPS; c++)
        s->clips[c] = (ReportClip){names[c],
                                   notes[c],
                                   1,
                                   FRAMES,
                                   s->anomaly + c * FRAMES,
                                   s->baseline + c * FRAMES,
                                   s->label + c * FRAMES};
    for (int i = 0; i < 2; i++)
        s->frames[i] = (ReportFrame){.clip = "02",
                                     .index = 41 + i,
                                     .score = {21.5, i ? NAN : 7.25, OPINION_MOTION},
                                     .anomaly = 0.75,
                                     .abnormal = i == 0,
                                     .size = SIDE,
                                     .frame = s->picture,
                                     .prediction = s->picture,
                                     .difference = s->picture,
                                     .odd = i ? NULL : s->picture,
                                     .truth = i ? NULL : s->picture};
    s->group = (ReportGroup){"Two frames", "a note", s->frames, 2};
    ResultRow row = {.model = "runs/a/model.safetensors",
                     .protocol = "per-clip",
                     .normalise = "per-clip",
                     .score = "frame",
                     .labels = "masks",
                     .hash = "0123456789abcdef",
                     .frames = 360,
                     .abnormal = 80,
                     .low = 95,
                     .high = 98.5,
                     .ap = 90,
                     .eer = 7,
                     .psnr = 33.5};
    for (int i = 0; i < 4; i++) {
        static const double micro[] = {97.1, 96, 81.04, 98.5}, macro[] = {98, 97, 82, 82};
        row.auroc_micro = micro[i];
        row.auroc_macro = macro[i];
        row.model = i < 2 ? row.model : "persistence";
        row.protocol = i % 2 ? "global" : "per-clip";
        row.normalise = i % 2 ? "global" : "per-clip";
        s->rows[i] = row;
    }
    static const char *const facts[] = {"Seed", "2022", "Labels", "masks", NULL};
    s->report = (Report){.title = "A title",
                         .subtitle = "a subtitle",
                         .facts = facts,
                         .rows = s->rows,
                         .row_count = 4,
                         .told = s->rows,
                         .clips = s->clips,
                         .clip_count = CLIPS,
                         .groups = &s->group,
                         .group_count = 1};
    int64_t n = CLIPS * FRAMES;
    assert_int_equal(roc_curve(&s->roc, &s->report.roc_count, s->anomaly, s->label, n), 0);
    assert_int_equal(
        roc_curve(&s->roc_baseline, &s->report.roc_baseline_count, s->baseline, s->label, n), 0);
    s->report.roc = s->roc;
    s->report.roc_baseline = s->roc_baseline;
    return s;
}

static void sample_free(Sample *s) {
    mem_free(s->roc);
    mem_free(s->roc_baseline);
    mem_free(s);
}

static void test_whole_page(void **state) {
    (void)state;
    Sample *s = sample_new();
    char *page = page_of(&s->report);
    check_page(page);
    assert_non_null(strstr(page, "AUROC 97.1&nbsp;% per clip; persistence 81.0&nbsp;%: "
                                 "<span class=\"good\">+16.1</span>"));
    assert_non_null(strstr(page, "<span class=\"bad\">&minus;2.5</span>")); /* the global rows */
    assert_int_equal(count(page, "<svg class=\"curve\""), CLIPS);
    assert_int_equal(count(page, "<svg class=\"roc\""), 1);
    assert_int_equal(count(page, "<path class=\"model\""), CLIPS + 1);
    assert_int_equal(count(page, "<path class=\"baseline\""), CLIPS + 1);
    assert_int_equal(count(page, "<rect class=\"truth\""), 2); /* clip 01 is normal */
    assert_int_equal(count(page, "data:image/png;base64,iVBORw0KGgo"), 8);
    assert_int_equal(count(page, "no truth"), 1);
    assert_non_null(strstr(page, "<h2>Two frames</h2>\n<p class=\"legend\">a note</p>"));
    assert_int_equal(count(page, "PSNR 21.5 dB, score 0.75"), 1);
    assert_int_equal(count(page, "PSNR 21.5 dB, surprise 7.2 (motion), score 0.75"), 1);
    assert_int_equal(count(page, "what is odd"), 2); /* a picture and its alternative text */
    assert_non_null(strstr(page, "<dt>Seed</dt><dd>2022</dd>"));
    assert_non_null(strstr(page, "prefers-color-scheme:dark"));
    assert_non_null(strstr(page, "@media print"));
    mem_free(page);
    sample_free(s);
}

static void test_escaping(void **state) {
    (void)state;
    static const char evil[] = "<b onclick=\"x\">&'</title>";
    static const char safe[] = "&lt;b onclick=&quot;x&quot;&gt;&amp;&#39;&lt;/title&gt;";
    Sample *s = sample_new();
    const char *const facts[] = {evil, evil, NULL};
    s->report.title = s->report.subtitle = evil;
    s->report.facts = facts;
    s->clips[0].name = s->clips[0].note = s->frames[0].clip = evil;
    s->rows[0].protocol = evil;
    char *page = page_of(&s->report);
    check_page(page);
    assert_null(strstr(page, "<b onclick"));
    assert_int_equal(count(page, safe), 10); /* title and protocol stand twice */
    mem_free(page);
    s->rows[0].model = evil; /* breaks after slashes */
    page = page_of(&s->report);
    check_page(page);
    assert_null(strstr(page, "<b onclick"));
    mem_free(page);
    sample_free(s);
}

static void test_empty(void **state) {
    (void)state;
    Report nothing = {.title = "Empty", .subtitle = ""};
    char *page = page_of(&nothing);
    check_page(page);
    assert_non_null(strstr(page, "Nothing was evaluated"));
    mem_free(page);

    Sample *s = sample_new(); /* a clip without frames, one of one frame */
    s->clips[0].frames = 0;
    s->clips[1].frames = 1;
    s->report.group_count = 0;
    page = page_of(&s->report);
    check_page(page);
    mem_free(page);
    sample_free(s);
}

static void test_numbers_that_are_none(void **state) {
    (void)state;
    Sample *s = sample_new();
    for (int i = 0; i < 4; i++)
        s->rows[i].auroc_micro = s->rows[i].auroc_macro = NAN;
    s->rows[0].psnr = INFINITY;
    s->frames[0].score.psnr = INFINITY;
    s->report.roc = s->report.roc_baseline = NULL;
    s->report.roc_count = s->report.roc_baseline_count = 0;
    char *page = page_of(&s->report);
    check_page(page);
    assert_non_null(strstr(page, "all frames are of one class"));
    assert_int_equal(count(page, "<svg class=\"roc\""), 0);
    mem_free(page);

    s->anomaly[5] = NAN; /* no order, no report */
    char path[256];
    snprintf(path, sizeof path, "%s/report.html", folder);
    assert_int_equal(report_write(&s->report, path), ERR_FAIL);
    assert_non_null(strstr(err_text(), "clip 01"));
    assert_false(file_exists(path));
    sample_free(s);
}

static void test_without_persistence(void **state) {
    (void)state;
    Sample *s = sample_new();
    s->report.row_count = 2;
    s->report.roc_baseline = NULL;
    s->report.roc_baseline_count = 0;
    char *page = page_of(&s->report);
    check_page(page);
    assert_non_null(strstr(page, "AUROC 97.1&nbsp;% per clip</p>"));
    assert_int_equal(count(page, "<path class=\"baseline\""), 0);
    assert_null(strstr(page, "persistence"));
    mem_free(page);
    sample_free(s);
}

static void test_persistence_alone(void **state) {
    (void)state;
    Sample *s = sample_new();
    s->report.rows = s->report.told = s->rows + 2;
    s->report.row_count = 2;
    char *page = page_of(&s->report);
    check_page(page);
    assert_non_null(strstr(page, "AUROC 81.0&nbsp;% per clip</p>"));
    assert_null(strstr(page, "over<br>persistence"));
    mem_free(page);
    sample_free(s);
}

/* Other protocols are explained, other ground truths and scores told apart, checkpoints called an
 * oracle. */
static void test_many_rows(void **state) {
    (void)state;
    Sample *s = sample_new();
    s->rows[1].protocol = "hf2";
    s->rows[1].normalise = "none";
    s->rows[2].hash = s->rows[3].hash = "fedcba9876543210";
    s->rows[2].labels = s->rows[3].labels = "<avenue>.mat";
    s->rows[1].score = "max-patch";
    s->rows[3].smooth = 3;
    s->report.checkpoints = s->rows;
    s->report.checkpoint_count = 2;
    const int oracles[] = {1, -1};
    s->report.oracles = oracles;
    s->report.oracle_count = 2;
    char *page = page_of(&s->report);
    check_page(page);
    assert_int_equal(count(page, "<tr class=\"group\">"), 2);
    assert_non_null(strstr(page, "labels &lt;avenue&gt;.mat, hash fedcba9876543210"));
    assert_int_equal(count(page, ">max-patch<"), 2);
    assert_int_equal(count(page, "frame, &sigma; 3"), 1);
    assert_null(strstr(page, "; persistence ")); /* judged by other labels */
    assert_non_null(strstr(page, "<dt>hf2</dt>"));
    assert_int_equal(count(page, "<dt>mnad</dt>"), 0);
    assert_non_null(strstr(page, "<h2>Checkpoints</h2>"));
    assert_int_equal(count(page, "<span class=\"chip miss\">oracle</span>"), 1);
    mem_free(page);
    sample_free(s);
}

/* What --alarms and --localise ask for is there with its figures, and only then. */
static void test_other_tables(void **state) {
    (void)state;
    Sample *s = sample_new();
    char *page = page_of(&s->report);
    assert_non_null(strstr(page, "<h2>Results</h2>"));
    assert_null(strstr(page, "<h2>Alarms</h2>"));
    assert_null(strstr(page, "<h2>Where in the frame</h2>"));
    assert_null(strstr(page, "<h2>Checkpoints</h2>"));
    mem_free(page);

    for (int i = 0; i < 4; i++)
        s->rows[i].alarms = (Alarms){{1.25, 12, NAN}, 0.5, 9, i ? 7 : 0, i ? 30 : NAN};
    s->report.alarms = true;
    s->report.fps = 20;
    s->report.budget = 3;
    Tracks tracks = {.count = 77, .tracks = 6, .made = true};
    const ReportPlace places[] = {{"<run>", "token", {{0.9, 0, 0.51, 0.52}, 0.53, 0.54}},
                                  {"persistence", "pixel", {{NAN, 0, NAN, NAN}, 0.1, NAN}}};
    s->report.tracks = &tracks;
    s->report.places = places;
    s->report.place_count = 2;
    page = page_of(&s->report);
    check_page(page);
    assert_int_equal(count(page, "<td>1.25</td><td>12.00</td><td>&ndash;</td>"), 4);
    assert_int_equal(count(page, "<td class=\"key\">7 of 9</td><td>30.00</td><td>1.50</td></tr>"),
                     3);
    assert_int_equal(
        count(page, "<td class=\"key\">0 of 9</td><td>&ndash;</td><td>&ndash;</td></tr>"), 1);
    assert_non_null(strstr(page, "keeps to 3 false alarms an hour"));
    /* 280 normal frames of 20 a second */
    assert_non_null(strstr(page, "the 280 normal frames of the first row last 14&nbsp;s. One "
                                 "false alarm in them is 257.1 an hour"));
    assert_non_null(strstr(page, "&lt;run&gt;</td><td class=\"word\">token</td><td>90.00</td>"
                                 "<td>51.00</td><td>52.00</td><td>53.00</td><td>54.00</td>"));
    assert_non_null(strstr(page, "<td class=\"word\">pixel</td><td>&ndash;</td><td>&ndash;</td>"
                                 "<td>&ndash;</td><td>10.00</td><td>&ndash;</td>"));
    assert_non_null(strstr(page, "77 boxes and of the 6 tracks"));
    assert_non_null(strstr(page, "made here from the masks"));
    assert_int_equal(count(page, "<b>In a paper:</b>"), 3);
    assert_int_equal(count(page, "<b>With a camera:</b>"), 3);
    mem_free(page);

    tracks.made = false;
    for (int i = 0; i < 4; i++)
        s->rows[i].abnormal = s->rows[i].frames; /* no normal frame, no rate */
    page = page_of(&s->report);
    check_page(page);
    assert_null(strstr(page, "made here from the masks"));
    assert_null(strstr(page, "normal frames of the first row"));
    mem_free(page);
    sample_free(s);
}

/* Another score alone is named, or the page would pass it off as the plain one. */
static void test_one_other_score(void **state) {
    (void)state;
    Sample *s = sample_new();
    for (int i = 0; i < 4; i++)
        s->rows[i].score = "max-patch";
    char *page = page_of(&s->report);
    check_page(page);
    assert_int_equal(count(page, "<td class=\"word\">max-patch</td>"), 4);
    assert_non_null(strstr(page, "<h2>ROC, per-clip, max-patch</h2>"));
    mem_free(page);
    sample_free(s);
}

/* The axis counts frames as the clip does: the 120 scored ones of it are 1 to 120, or 95 to 214. */
static void test_axis(void **state) {
    (void)state;
    Sample *s = sample_new();
    s->report.clip_count = 1;
    char *page = page_of(&s->report);
    assert_int_equal(count(page, "text-anchor=\"middle\">120</text>"), 1);
    assert_null(strstr(page, "text-anchor=\"middle\">140</text>"));
    /* frame 20 is the 20th: in the middle of the stretch from 19/120 to 20/120 */
    assert_non_null(strstr(page, "<path class=\"axis\" d=\"M108.7 104v4\"/><text x=\"108.7\" "
                                 "y=\"119\" text-anchor=\"middle\">20</text>"));
    mem_free(page);
    s->clips[0].first = 95;
    page = page_of(&s->report);
    assert_null(strstr(page, "text-anchor=\"middle\">80</text>"));
    assert_non_null(strstr(page, "text-anchor=\"middle\">200</text>"));
    mem_free(page);
    sample_free(s);
}

/* A day of frames stays a small figure, and a single peak in it stays visible. */
static void test_long_clip(void **state) {
    (void)state;
    enum { LONG = 200000 };
    double *anomaly = mem_alloc(LONG, sizeof *anomaly);
    uint8_t *label = mem_alloc(LONG, 1);
    anomaly[123456] = 1;
    label[123456] = 1;
    ReportClip clip = {"day", "", 0, LONG, anomaly, NULL, label};
    Report r = {.title = "Long", .subtitle = "", .clips = &clip, .clip_count = 1};
    char *page = page_of(&r);
    check_page(page);
    assert_true(strlen(page) < 40000);
    assert_int_equal(count(page, "<rect class=\"truth\""), 1);
    assert_int_equal(count(page, " 8.0L") + count(page, " 8.0\""), 1); /* the top of the plot */
    mem_free(page);
    mem_free(anomaly);
    mem_free(label);
}

/* What is open ends with what follows, whatever that is. */
static void test_table(void **state) {
    (void)state;
    char path[64], *text = NULL;
    size_t bytes;
    FileOut *f = NULL;
    snprintf(path, sizeof path, "%s/table.html", folder);
    assert_int_equal(file_create(&f, path), 0);
    HtmlTable t = html_table(f);
    html_column(&t, NULL, "%d&nbsp;%%", 5);
    html_column(&t, "word", "b");
    html_columns(&t, (const char *const[]){"c, %", "d", NULL});
    html_row(&t, "group");
    html_cell_over_all(&t);
    file_printf(f, "all");
    html_row(&t, NULL);
    html_row(&t, NULL);
    html_cell(&t, "key");
    html_number_cell(&t, NULL, "%.1f", NAN);
    html_table_end(&t);
    t = html_table(f); /* of no row */
    html_table_end(&t);
    assert_int_equal(file_commit(&f), 0);
    assert_int_equal(file_read(path, 1 << 16, &text, &bytes), 0);
    unlink(path);
    assert_string_equal(text, "<div class=\"scroll\"><table>\n"
                              "<thead><tr><th>5&nbsp;%</th><th class=\"word\">b</th>"
                              "<th>c, %</th><th>d</th></tr></thead>\n"
                              "<tbody>\n"
                              "<tr class=\"group\"><td colspan=\"4\">all</td></tr>\n"
                              "<tr></tr>\n"
                              "<tr><td class=\"key\"></td><td>&ndash;</td></tr>\n"
                              "</tbody>\n</table></div>\n"
                              "<div class=\"scroll\"><table>\n<thead><tr></tr></thead>\n"
                              "<tbody>\n</tbody>\n</table></div>\n");
    mem_free(text);
}

static void test_unwritable(void **state) {
    (void)state;
    Report r = {.title = "t", .subtitle = ""};
    assert_int_equal(report_write(&r, "/nonexistent/folder/report.html"), ERR_FAIL);
    assert_non_null(strstr(err_text(), "/nonexistent/folder/report.html"));
}

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_page),
        cmocka_unit_test(test_escaping),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_numbers_that_are_none),
        cmocka_unit_test(test_without_persistence),
        cmocka_unit_test(test_persistence_alone),
        cmocka_unit_test(test_many_rows),
        cmocka_unit_test(test_other_tables),
        cmocka_unit_test(test_one_other_score),
        cmocka_unit_test(test_axis),
        cmocka_unit_test(test_long_clip),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_unwritable),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
