#include "app/eval_table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- what was evaluated ---- */

static void print_model(const ScorerInfo *info) {
    if (info->model.steps_per_epoch)
        printf("model    %s: %lld parameters, step %lld of %lld, epoch %.4g of %lld, seed %lld\n",
               info->path, (long long)info->parameters, (long long)info->model.step,
               (long long)(info->model.epochs * info->model.steps_per_epoch),
               (double)info->model.step / (double)info->model.steps_per_epoch,
               (long long)info->model.epochs, (long long)info->model.seed);
    printf("input    %lld x %lld, %lld frame%s; the first %lld of each clip %s no score\n",
           (long long)info->size, (long long)info->size, (long long)info->frames,
           info->frames > 1 ? "s" : "", (long long)info->frames, info->frames > 1 ? "have" : "has");
}

static void print_given(const Evaluation *e) {
    int64_t missing = 0;
    for (int64_t c = 0, start = 0; c < e->clips; start += e->labels[0]->length[c++])
        for (int64_t t = e->first; t < e->labels[0]->length[c] - e->last; t++)
            missing += e->missing && e->missing[start + t];
    printf("scores   %s: the first %lld and last %lld frames of each clip have none", e->source,
           (long long)e->first, (long long)e->last);
    if (missing)
        printf(", nor have %lld others", (long long)missing);
    putchar('\n');
}

static void print_head(const Evaluation *e) {
    const Labels *l = e->labels[0];
    if (e->data->root)
        printf("data     %s (%s): %d test clips, %lld frames\n", e->data->root,
               layout_names[e->data->layout], e->clips, (long long)l->frames);
    else
        printf("data     %d clips, %lld frames\n", e->clips, (long long)l->frames);
    for (int i = 0; i < e->truths; i++)
        printf("labels   %s, hash %s, %lld abnormal%s\n", e->labels[i]->variant, e->labels[i]->hash,
               (long long)e->labels[i]->abnormal,
               e->labels[i]->from < 0    ? ""
               : e->labels[i]->from == 0 ? ", frames from 0"
                                         : ", frames from 1");
    if (e->scorer[0])
        print_model(scorer_info(e->scorer[0]));
    else
        print_given(e);
}

/* ---- rows ---- */

/* Prints a number in its column, or a dash. */
static void print_number(int width, double value) {
    if (isfinite(value))
        printf(" %*.2f", width, value);
    else
        printf(" %*s", width, "-");
}

/* Prints "frame", or with a filter "frame, sigma 3". */
static void print_score(const ResultRow *r) {
    char text[48];
    snprintf(text, sizeof text, r->smooth > 0 ? "%s, sigma %.3g" : "%s", r->score, r->smooth);
    printf(" %-20s", text);
}

/* Width of the first column, which shows the models' paths. */
static int model_width(const ResultRow *rows, int count) {
    size_t width = 20;
    for (int i = 0; i < count; i++)
        if (strlen(rows[i].model) > width)
            width = strlen(rows[i].model);
    return (int)width;
}

static void print_truth(const ResultRow *rows, int i, bool several) {
    if (several && (i == 0 || strcmp(rows[i].hash, rows[i - 1].hash) != 0))
        printf("%s, hash %s\n", rows[i].labels, rows[i].hash);
}

static void print_rows(const char *title, const ResultRow *rows, int count, bool several) {
    bool score = results_tell_score(rows, count);
    int width = model_width(rows, count);
    printf("\n%-*s %-10s %-8s", width, title, "protocol", "min-max");
    if (score)
        printf(" %-20s", "score");
    printf(" %11s %6s  %-11s %6s %6s %5s %6s\n", "frames/abn.", "micro", "95 %", "macro", "AP",
           "EER", "PSNR");
    for (int i = 0; i < count; i++) {
        const ResultRow *r = &rows[i];
        char counts[48], interval[32] = "-";
        snprintf(counts, sizeof counts, "%lld/%lld", (long long)r->frames, (long long)r->abnormal);
        if (isfinite(r->low))
            snprintf(interval, sizeof interval, "%.2f-%.2f", r->low, r->high);
        print_truth(rows, i, several);
        printf("%-*s %-10s %-8s", width, r->model, r->protocol, r->normalise);
        if (score)
            print_score(r);
        printf(" %11s", counts);
        print_number(6, r->auroc_micro);
        printf("  %-11s", interval);
        print_number(6, r->auroc_macro);
        print_number(6, r->ap);
        print_number(5, r->eer);
        print_number(6, r->psnr);
        printf("\n");
    }
}

static void print_alarms(const EvalResults *r) {
    bool score = results_tell_score(r->rows, r->count);
    int width = model_width(r->rows, r->count);
    printf("\n%-*s %-10s", width, "alarms", "protocol");
    if (score)
        printf(" %-20s", "score");
    for (int k = 0; k < ALARM_RECALLS; k++)
        printf("  %4s %-4.2g", "FA/h", alarm_recalls[k]);
    printf("  %8s %7s\n", "detected", "delay");
    for (int i = 0; i < r->count; i++) {
        const ResultRow *row = &r->rows[i];
        char detected[48];
        snprintf(detected, sizeof detected, "%lld/%lld", (long long)row->alarms.detected,
                 (long long)row->alarms.events);
        print_truth(r->rows, i, r->evaluation->truths > 1);
        printf("%-*s %-10s", width, row->model, row->protocol);
        if (score)
            print_score(row);
        for (int k = 0; k < ALARM_RECALLS; k++)
            print_number(10, row->alarms.per_hour[k]);
        printf("  %8s", detected);
        print_number(7, row->alarms.delay);
        printf("\n");
    }
    printf("FA/h 0.5: false alarms per hour of normal frames (%g frames a second) at the threshold "
           "that half\nof the abnormal frames reach. detected, delay: events found and their mean "
           "delay in frames at the\nlowest threshold that keeps to %g false alarms an hour.\n",
           r->fps, r->budget);
    int64_t normal = r->rows[0].frames - r->rows[0].abnormal;
    if (normal)
        printf("With the first row's %lld normal frames the least rate above 0 is %.2f an hour.\n",
               (long long)normal, alarms_smallest(normal, r->fps));
}

/* Prints for each protocol and score the last epoch, and the one that is best on the test set. */
static void print_checkpoints(const EvalCheckpoints *c, bool several) {
    if (!c->count)
        return;
    print_rows("checkpoint", c->rows, c->count, several);
    bool score = results_tell_score(c->rows, c->count);
    printf("\n");
    for (int k = 0; k < c->each; k++) {
        const ResultRow *last = &c->rows[c->count - c->each + k];
        if (c->best[k] < 0)
            continue;
        const ResultRow *best = &c->rows[c->best[k]];
        print_truth(&c->rows[c->count - c->each], k, several);
        printf("%-10s", last->protocol);
        if (score)
            print_score(last);
        printf(" last epoch %.2f; oracle, chosen on the test set: %s %.2f\n", last->auroc_micro,
               best->model, best->auroc_micro);
    }
}

static void print_percent(int width, double share) {
    if (isnan(share))
        printf(" %*s", width, "-");
    else
        printf(" %*.2f", width, 100 * share);
}

static void print_localisation(const EvalResults *r) {
    const EvalLocalise *l = r->localise;
    const Tracks *t = localiser_tracks(l->localiser);
    int width = model_width(r->rows, r->count);
    printf("\n%-*s %-10s %8s %8s %8s %8s %8s\n", width, "localisation", "level", "pixel", "40 %",
           "EER", "RBDC", "TBDC");
    for (int m = 0; m < l->models; m++)
        for (int level = 0; level < LOCALISE_LEVELS; level++) {
            const Localisation *f = &l->figures[m][level];
            if (!localiser_has(l->localiser, m, level))
                continue;
            printf("%-*s %-10s", width, l->name[m], localise_level_names[level]);
            print_percent(8, f->pixel.auroc);
            print_percent(8, f->pixel.frame_auroc);
            print_percent(8, f->pixel.frame_eer);
            print_percent(8, f->rbdc);
            print_percent(8, f->tbdc);
            printf("\n");
        }
    printf("In percent. Error maps are by patch (token) or by a window that moves (pixel). pixel: "
           "AUROC of all\npixels. 40 %%, EER: AUROC and EER of frames; a frame is found if 40 %% "
           "of its abnormal pixels\nreach the threshold. RBDC, TBDC: share of boxes and tracks "
           "found, up to one false alarm a frame.\n%lld boxes of %lld tracks, %s.\n",
           (long long)t->count, (long long)t->tracks,
           t->made ? "made here from the masks: RBDC and TBDC do not compare with published ones"
                   : "from files");
}

/* Explains the protocols that are not the paper's. */
static void print_notes(const ResultRow *rows, int count) {
    for (const Protocol *p = protocols + 2; p->name; p++) {
        bool used = false;
        for (int i = 0; i < count; i++)
            used |= strcmp(rows[i].protocol, p->name) == 0;
        if (used)
            printf("%-10s %s%s%s%s\n", p->name, p->note, p->labels ? " (Avenue: " : "",
                   p->labels ? p->labels : "", p->labels ? ")" : "");
    }
}

void eval_print(const EvalResults *r) {
    bool several = r->evaluation->truths > 1;
    print_head(r->evaluation);
    print_rows("model", r->rows, r->count, several);
    if (r->alarms)
        print_alarms(r);
    print_checkpoints(r->checkpoints, several);
    if (r->localise->localiser)
        print_localisation(r);
    printf("\nPSNR is in dB, the other figures in percent. micro: AUROC of all frames in one ROC, "
           "with its 95 %%\ninterval over clips; macro: mean AUROC of the clips; AP: average "
           "precision; EER: equal error rate.\n");
    print_notes(r->rows, r->count);
}
