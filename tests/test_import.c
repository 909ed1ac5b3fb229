/* Weights of SimMIM, BEiT and MAE (tests/reference/torch_pth.py) in our network: the settings that
 * the files tell, what has a place, and the features, which PyTorch computed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "fixture.h"
#include "model/import.h"
#include "model/positions.h"
#include "model/weight_file.h"
#include "model/weights.h"

#define REFERENCE SOURCE_DIR "/tests/reference/"

enum { IMAGES = 2 };

static const struct {
    const char *name, *path, *legacy, *family;
    VitConfig network;
    double step; /* of the legacy file's numbers, relative: f16, f16, bf16 */
    int missing, unexpected;
} families[] = {
    {"simmim",
     REFERENCE "simmim.pth",
     REFERENCE "simmim_legacy.pth",
     "SimMIM",
     {.image = 16,
      .patch = 4,
      .frames = 1,
      .width = 16,
      .depth = 2,
      .heads = 2,
      .layer_scale = 0.1,
      .relpos = RELPOS_SHARED},
     0x1p-11,
     0,
     0},
    {"beit",
     REFERENCE "beit.pth",
     REFERENCE "beit_legacy.pth",
     "BEiT, or SimMIM fine-tuned",
     {.image = 16,
      .patch = 4,
      .frames = 1,
      .width = 16,
      .depth = 2,
      .heads = 2,
      .layer_scale = 0.1,
      .relpos = RELPOS_BLOCK},
     0x1p-11,
     2,
     2}, /* our decoder; their head */
    {"mae",
     REFERENCE "mae.pth",
     REFERENCE "mae_legacy.pth",
     "MAE, or a plain ViT",
     {.image = 16,
      .patch = 4,
      .frames = 1,
      .width = 16,
      .depth = 2,
      .heads = 1,
      .layer_scale = 0,
      .relpos = RELPOS_NONE,
      .pos_embed = true,
      .key_bias = true},
     0x1p-8,
     3,
     6}, /* our mask token and decoder; theirs */
};
enum { FAMILIES = sizeof families / sizeof *families };

/* A network of the reference backend with drawn weights; they stay readable where it trains. */
typedef struct {
    Backend *be;
    Vit *vit;
} Net;

static Net net_open(const VitConfig *c, const char *backend, bool training) {
    Net n = {NULL, NULL};
    assert_int_equal(backend_open(&n.be, backend, 2, "f32"), 0);
    assert_int_equal(vit_open(&n.vit, n.be, c, IMAGES, training), 0);
    assert_int_equal(vit_init(n.vit, 7), 0);
    return n;
}

static void net_free(Net *n) {
    vit_free(&n->vit);
    backend_free(&n->be);
}

static void init(Vit *v, const char *path, ImportReport *report) {
    if (import_init(v, path, report))
        fail_msg("%s", err_text());
}

static void expect_config(const VitConfig *got, const VitConfig *want) {
    assert_int_equal(got->image, want->image);
    assert_int_equal(got->patch, want->patch);
    assert_int_equal(got->frames, want->frames);
    assert_int_equal(got->width, want->width);
    assert_int_equal(got->depth, want->depth);
    assert_int_equal(got->heads, want->heads);
    assert_true(got->layer_scale == want->layer_scale);
    assert_int_equal(got->relpos, want->relpos);
    assert_int_equal(got->pos_embed, want->pos_embed);
    assert_int_equal(got->key_bias, want->key_bias);
}

static void test_network(void **state) {
    (void)state;
    for (int i = 0; i < FAMILIES; i++) {
        VitConfig c;
        if (import_network(&c, families[i].path))
            fail_msg("%s", err_text());
        expect_config(&c, &families[i].network);
        if (import_network(&c, families[i].legacy))
            fail_msg("%s", err_text());
        expect_config(&c, &families[i].network);
    }
}

/* As in test_reference.c: other orders of summation cost a few 1e-7 of the largest feature. */
static void expect_features(const Safetensors *file, const char *input, const char *name,
                            const char *path, const VitConfig *network, const char *backend) {
    float x[IMAGES * 3 * 16 * 16], want[IMAGES * 17 * 16];
    const SafeTensor *in = safetensors_find(file, input), *t = safetensors_find(file, name);
    ImportReport report;
    assert_true(in->count == IMAGES * 3 * network->image * network->image);
    assert_true(t->count == IMAGES * (1 + vit_patches(network)) * network->width);
    assert_true(in->count <= (int64_t)(sizeof x / sizeof *x) &&
                t->count <= (int64_t)(sizeof want / sizeof *want));
    assert_int_equal(safetensors_to_f32(in, x), 0);
    assert_int_equal(safetensors_to_f32(t, want), 0);
    Net n = net_open(network, backend, false);
    init(n.vit, path, &report);
    import_report_free(&report);
    vit_forward(n.vit, x, IMAGES, IMAGES, NULL, NULL);
    assert_int_equal(n.be->sync(n.be), 0);
    const float *got = vit_features(n.vit).data;
    double worst = 0, top = 0;
    for (int64_t k = 0; k < t->count; k++) {
        worst = fmax(worst, fabs((double)got[k] - want[k]));
        top = fmax(top, fabs(want[k]));
    }
    if (!(worst <= 5e-6 * top))
        fail_msg("%s on %s: features differ by %.2e of %.2e", name, backend, worst, top);
    net_free(&n);
}

static const char *const backends[] = {"ref", "cpu"};

static void test_features(void **state) {
    (void)state;
    Safetensors *file = NULL;
    assert_int_equal(safetensors_open(&file, REFERENCE "features.safetensors"), 0);
    for (int i = 0; i < 2 * FAMILIES; i++)
        expect_features(file, "x", families[i / 2].name, families[i / 2].path,
                        &families[i / 2].network, backends[i % 2]);
    safetensors_free(&file);
}

/* Networks of timm's own, in files with wrappers around names and dicts: its features are ours. The
 * ViT calls its layer scale ls1.gamma. */
static void test_timm(void **state) {
    (void)state;
    static const struct {
        const char *name, *path, *family;
        VitConfig network;
    } nets[] = {{"timm_beit",
                 REFERENCE "timm_beit.pth",
                 "BEiT, or SimMIM fine-tuned",
                 {.image = 12,
                  .patch = 4,
                  .frames = 1,
                  .width = 8,
                  .depth = 2,
                  .heads = 2,
                  .layer_scale = 0.1,
                  .relpos = RELPOS_BLOCK}},
                {"timm_vit",
                 REFERENCE "timm_vit.pth",
                 "MAE, or a plain ViT",
                 {.image = 12,
                  .patch = 4,
                  .frames = 1,
                  .width = 8,
                  .depth = 2,
                  .heads = 1,
                  .layer_scale = 0.1,
                  .relpos = RELPOS_NONE,
                  .pos_embed = true,
                  .key_bias = true}}};
    Safetensors *file = NULL;
    assert_int_equal(safetensors_open(&file, REFERENCE "features.safetensors"), 0);
    for (int i = 0; i < 2; i++) {
        VitConfig c;
        ImportReport r;
        if (import_network(&c, nets[i].path))
            fail_msg("%s", err_text());
        expect_config(&c, &nets[i].network);
        Net n = net_open(&c, "ref", true);
        init(n.vit, nets[i].path, &r);
        assert_string_equal(r.family, nets[i].family);
        assert_int_equal(r.missing.count, 3);    /* our mask token and decoder */
        assert_int_equal(r.unexpected.count, 2); /* their head */
        assert_int_equal(r.adapted.count, 0);
        import_report_free(&r);
        net_free(&n);
        for (int k = 0; k < 2; k++)
            expect_features(file, "timm_x", nets[i].name, nets[i].path, &nets[i].network,
                            backends[k]);
    }
    safetensors_free(&file);
}

/* The old form's numbers are those of the new one, rounded to half precision. */
static void test_old_form(void **state) {
    (void)state;
    for (int i = 0; i < FAMILIES; i++) {
        Net a = net_open(&families[i].network, "ref", true);
        Net b = net_open(&families[i].network, "ref", true);
        ImportReport report;
        init(a.vit, families[i].path, &report);
        import_report_free(&report);
        init(b.vit, families[i].legacy, &report);
        const float *x = vit_weights(a.vit), *y = vit_weights(b.vit);
        bool same = true;
        for (int64_t k = 0; k < vit_slab_count(a.vit); k++) {
            same = same && x[k] == y[k];
            if (fabsf(x[k] - y[k]) > families[i].step * fabsf(x[k]) + 0x1p-25)
                fail_msg("%s: %g became %g", families[i].name, (double)x[k], (double)y[k]);
        }
        assert_false(same);
        import_report_free(&report);
        net_free(&a);
        net_free(&b);
    }
}

static bool holds(const ImportList *l, const char *what) {
    for (int i = 0; i < l->count; i++)
        if (strcmp(l->item[i], what) == 0)
            return true;
    return false;
}

static void test_report(void **state) {
    (void)state;
    for (int i = 0; i < FAMILIES; i++) {
        Net n = net_open(&families[i].network, "ref", true);
        ImportReport r;
        int tensors;
        int64_t values, decayed;
        vit_census(&families[i].network, &tensors, &values, &decayed);
        init(n.vit, families[i].path, &r);
        assert_string_equal(r.family, families[i].family);
        expect_config(&r.network, &families[i].network);
        assert_int_equal(r.matched.count, tensors - families[i].missing);
        assert_int_equal(r.missing.count, families[i].missing);
        assert_int_equal(r.unexpected.count, families[i].unexpected);
        assert_int_equal(r.misshaped.count, 0);
        assert_true(holds(&r.matched, "encoder.norm.weight"));
        assert_int_equal(r.fc_norm, i == 1);
        assert_int_equal(r.heads_guessed, i == 2);
        if (i > 0)
            assert_true(holds(&r.missing, "decoder.0.weight"));
        if (i == 1)
            assert_true(holds(&r.unexpected, "head.bias"));
        if (i == 2) {
            assert_true(holds(&r.unexpected, "mask_token"));
            assert_true(holds(&r.missing, "encoder.mask_token"));
            assert_true(holds(&r.matched, "encoder.blocks.1.attn.k_bias"));
        }
        import_report_free(&r);
        assert_null(r.matched.item);
        net_free(&n);
    }
}

/* Who gives the number of heads is not told of a guess. */
static void test_heads_given(void **state) {
    (void)state;
    VitConfig c = families[2].network;
    c.heads = 2;
    Net n = net_open(&c, "ref", true);
    ImportReport r;
    init(n.vit, families[2].path, &r);
    assert_false(r.heads_guessed);
    import_report_free(&r);
    net_free(&n);
}

static int64_t offset_of(const Vit *v, const char *name) {
    int count;
    const VitParam *p = vit_params(v, &count);
    for (int i = 0; i < count; i++)
        if (strcmp(p[i].name, name) == 0)
            return p[i].offset;
    fail_msg("no weight %s", name);
    return 0;
}

/* What the file lacks keeps its drawn values. */
static void test_missing_stays_drawn(void **state) {
    (void)state;
    Net drawn = net_open(&families[2].network, "ref", true);
    Net n = net_open(&families[2].network, "ref", true);
    ImportReport r;
    init(n.vit, families[2].path, &r);
    import_report_free(&r);
    int64_t kept = offset_of(n.vit, "encoder.mask_token"),
            taken = offset_of(n.vit, "encoder.cls_token");
    assert_memory_equal(vit_weights(n.vit) + kept, vit_weights(drawn.vit) + kept,
                        16 * sizeof(float));
    assert_memory_not_equal(vit_weights(n.vit) + taken, vit_weights(drawn.vit) + taken,
                            16 * sizeof(float));
    net_free(&n);
    net_free(&drawn);
}

/* What is written starts a network just like what it was made from, and says whence it came. */
static void test_written(void **state) {
    (void)state;
    for (int i = 0; i < FAMILIES; i++) {
        const char *path = fixture_path("%s.safetensors", families[i].name);
        ImportReport r;
        if (import_weights(families[i].path, path, &r))
            fail_msg("%s", err_text());
        assert_int_equal(r.missing.count, families[i].missing);
        int matched = r.matched.count;
        import_report_free(&r);
        VitConfig c;
        assert_int_equal(import_network(&c, path), 0);
        expect_config(&c, &families[i].network);
        Net a = net_open(&c, "ref", true), b = net_open(&c, "ref", true);
        init(a.vit, families[i].path, &r);
        import_report_free(&r);
        init(b.vit, path, &r);
        assert_string_equal(r.family, "normalcy");
        assert_int_equal(r.matched.count, matched);
        assert_int_equal(r.unexpected.count, 0);
        import_report_free(&r);
        assert_memory_equal(vit_weights(a.vit), vit_weights(b.vit),
                            (size_t)vit_slab_count(a.vit) * sizeof(float));
        WeightFile *f = NULL;
        char source[128];
        snprintf(source, sizeof source, "%s.pth (%s)", families[i].name, families[i].family);
        assert_int_equal(weight_file_open(&f, path), 0);
        assert_int_equal(weight_file_count(f), matched);
        assert_string_equal(weight_file_metadata(f, "format"), "normalcy-weights");
        assert_string_equal(weight_file_metadata(f, "source"), source);
        weight_file_free(&f);
        net_free(&a);
        net_free(&b);
    }
}

/* The families come as safetensors too; the shapes tell the same. */
static void test_foreign_safetensors(void **state) {
    (void)state;
    const char *path = fixture_path("foreign.safetensors");
    WeightFile *f = NULL;
    SafeWriter *w = NULL;
    assert_int_equal(weight_file_open(&f, families[1].path), 0);
    assert_int_equal(safe_writer_open(&w), 0);
    for (int i = 0; i < weight_file_count(f); i++) {
        const SafeTensor *t = weight_file_at(f, i);
        if (t->type == SAFE_F32)
            safe_writer_add(w, t->name, t->rank, t->shape, t->data);
    }
    assert_int_equal(safe_writer_save(&w, path), 0);
    weight_file_free(&f);
    VitConfig c;
    ImportReport r;
    assert_int_equal(import_network(&c, path), 0);
    expect_config(&c, &families[1].network);
    Net n = net_open(&c, "ref", true);
    init(n.vit, path, &r);
    assert_int_equal(r.missing.count, 2);
    import_report_free(&r);
    net_free(&n);
}

static const float *weight_of(Net *n, const char *name, int64_t *count) {
    int params;
    const VitParam *p = vit_params(n->vit, &params);
    while (strcmp(p->name, name) != 0)
        p++;
    *count = p->count;
    return vit_weights(n->vit) + p->offset;
}

/* Row by row: zeros, the values of the narrow weight, zeros. */
static void expect_wider(Net *wide, Net *narrow, const char *name, int64_t before, int64_t after) {
    int64_t want, have, rows = 0;
    const float *w = weight_of(wide, name, &want), *x = weight_of(narrow, name, &have);
    int64_t each = before + after;
    rows = (want - have) / each;
    for (int64_t r = 0; r < rows; r++, w += want / rows, x += have / rows) {
        for (int64_t i = 0; i < before; i++)
            assert_true(w[i] == 0);
        assert_memory_equal(w + before, x, (size_t)(have / rows) * sizeof *w);
        for (int64_t i = 0; i < after; i++)
            assert_true(w[before + have / rows + i] == 0);
    }
}

/* More input frames: the newest one is the file's. MNAD's decoder: the features come first. */
static void test_wider(void **state) {
    (void)state;
    VitConfig c = families[0].network;
    ImportReport r;
    Net narrow = net_open(&c, "ref", true);
    init(narrow.vit, families[0].path, &r);
    import_report_free(&r);
    c.frames = 3;
    c.memory = MEMORY_MNAD;
    Net wide = net_open(&c, "ref", true);
    init(wide.vit, families[0].path, &r);
    assert_int_equal(r.misshaped.count, 0);
    assert_int_equal(r.adapted.count, 2);
    import_report_free(&r);
    expect_wider(&wide, &narrow, "encoder.patch_embed.proj.weight", 2 * 3 * 4 * 4, 0);
    expect_wider(&wide, &narrow, "decoder.0.weight", 0, c.width);
    net_free(&wide);
    net_free(&narrow);
}

/* ---- what is made to fit. */

static bool says(const ImportList *l, const char *what) {
    for (int i = 0; i < l->count; i++)
        if (strstr(l->item[i], what))
            return true;
    return false;
}

static const char table_name[] = "encoder.rel_pos_bias.relative_position_bias_table";

/* Method A.10: a table that all blocks share, for blocks with tables of their own. */
static void test_shared_table_copied(void **state) {
    (void)state;
    VitConfig c = families[0].network;
    ImportReport r;
    Net shared = net_open(&c, "ref", true);
    init(shared.vit, families[0].path, &r);
    assert_int_equal(r.adapted.count, 0);
    import_report_free(&r);
    c.relpos = RELPOS_BLOCK;
    Net own = net_open(&c, "ref", true);
    init(own.vit, families[0].path, &r);
    assert_int_equal(r.adapted.count, 2);
    assert_int_equal(r.missing.count, 0);
    assert_int_equal(r.unexpected.count, 0);
    assert_true(
        says(&r.adapted, "blocks.1.attn.relative_position_bias_table: a copy of the shared"));
    import_report_free(&r);
    int64_t n, m;
    const float *table = weight_of(&shared, table_name, &n);
    for (int i = 0; i < 2; i++) {
        char name[96];
        snprintf(name, sizeof name, "encoder.blocks.%d.attn.relative_position_bias_table", i);
        const float *copy = weight_of(&own, name, &m);
        assert_int_equal(n, m);
        assert_memory_equal(copy, table, (size_t)n * sizeof *copy);
    }
    net_free(&own);
    net_free(&shared);
}

/* Positions of another input size: interpolated, and all else as it was. */
static void expect_resized(int family, Relpos relpos, const char *to_name, const char *from_name) {
    VitConfig c = families[family].network;
    ImportReport r;
    float want[256];
    int64_t count, old;
    Net narrow = net_open(&c, "ref", true);
    init(narrow.vit, families[family].path, &r);
    int matched = r.matched.count;
    import_report_free(&r);
    const float *from = weight_of(&narrow, from_name, &old);
    if (c.relpos == RELPOS_NONE)
        assert_int_equal(positions_resize_embed(want, from, 4, 3, c.width), 0);
    else
        assert_int_equal(positions_resize_table(want, from, 4, 3, c.heads), 0);
    c.image = 12;
    c.relpos = relpos;
    Net n = net_open(&c, "ref", true);
    init(n.vit, families[family].path, &r);
    assert_int_equal(r.misshaped.count, 0);
    assert_int_equal(r.matched.count, matched + ((int)relpos != families[family].network.relpos));
    assert_true(says(&r.adapted, "interpolated from 4 x 4 to 3 x 3 patches"));
    import_report_free(&r);
    const float *got = weight_of(&n, to_name, &count);
    assert_true(count < old && count <= 256);
    assert_memory_equal(got, want, (size_t)count * sizeof *got);
    assert_memory_equal(weight_of(&n, "encoder.norm.bias", &count),
                        weight_of(&narrow, "encoder.norm.bias", &old), 16 * sizeof(float));
    net_free(&n);
    net_free(&narrow);
}

static void test_resized(void **state) {
    (void)state;
    const char *block = "encoder.blocks.1.attn.relative_position_bias_table";
    expect_resized(0, RELPOS_SHARED, table_name, table_name);
    expect_resized(0, RELPOS_BLOCK, block, table_name);
    expect_resized(1, RELPOS_BLOCK, block, block);
    expect_resized(2, RELPOS_NONE, "encoder.pos_embed", "encoder.pos_embed");
}

/* ---- what does not fit. */

static void expect_init_refused(const VitConfig *c, const char *path, const char *const *what) {
    Net n = net_open(c, "ref", true);
    ImportReport r;
    assert_int_equal(import_init(n.vit, path, &r), ERR_FAIL);
    for (; *what; what++)
        if (!strstr(err_text(), *what))
            fail_msg("\"%s\" does not say \"%s\"", err_text(), *what);
    import_report_free(&r);
    net_free(&n);
}

#define EXPECT_INIT_REFUSED(c, path, ...)                                                          \
    expect_init_refused(c, path, (const char *const[]){__VA_ARGS__, NULL})

static void test_other_networks(void **state) {
    (void)state;
    VitConfig c = families[0].network;
    EXPECT_INIT_REFUSED(&c, families[1].path, "beit.pth", "none can stand for all",
                        "give --relpos block");
    EXPECT_INIT_REFUSED(&c, families[2].path, "--relpos=none", "--layer-scale=0", "--pos-embed=yes",
                        "--key-bias=yes");
    c.depth = 3;
    EXPECT_INIT_REFUSED(&c, families[0].path, "needs --depth=2; this network has --depth=3");
    c = families[0].network;
    c.width = 24;
    EXPECT_INIT_REFUSED(&c, families[0].path,
                        "tensor encoder.cls_token has shape (1, 1, 16), expected (1, 1, 24)",
                        "--width=16");
    c = families[0].network;
    c.patch = 8;
    EXPECT_INIT_REFUSED(&c, families[0].path, "needs --patch=4; this network has --patch=8");
    c = families[0].network;
    c.heads = 4;
    EXPECT_INIT_REFUSED(&c, families[0].path, "needs --heads=2; this network has --heads=4");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_network),
        cmocka_unit_test(test_features),
        cmocka_unit_test(test_timm),
        cmocka_unit_test(test_old_form),
        cmocka_unit_test(test_report),
        cmocka_unit_test(test_heads_given),
        cmocka_unit_test(test_missing_stays_drawn),
        cmocka_unit_test(test_written),
        cmocka_unit_test(test_foreign_safetensors),
        cmocka_unit_test(test_other_networks),
        cmocka_unit_test(test_wider),
        cmocka_unit_test(test_shared_table_copied),
        cmocka_unit_test(test_resized),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
